#pragma once
// What a request over HTTP is told before its answer: its response becomes a stream of events with the first word.
#include <string>

#include "aio/notifier.h"
#include "api/mcp/call.h"
#include "net/http_server.h"

namespace api::mcp {

class HttpSink final : public Sink {
 public:
  // `reply` outlives it. A client that takes no stream is told nothing before its answer.
  HttpSink(boost::asio::io_context& io, net::HttpReply& reply, bool takes_stream, std::vector<net::HttpHeader> headers)
      : reply_(reply), free_(io), takes_stream_(takes_stream), headers_(std::move(headers)) {}
  aio::Task<bool> send(std::string message) override;
  aio::Task<> keep_alive() override;

  // The answer, as the stream's last event or as a plain response.
  aio::Task<> finish(std::string answer, int status);

 private:
  aio::Task<bool> write(std::string text);

  net::HttpReply& reply_;
  aio::Notifier free_;
  const bool takes_stream_;
  std::vector<net::HttpHeader> headers_;
  bool streaming_ = false, writing_ = false, gone_ = false;
};

}  // namespace api::mcp
