#pragma once
// A server behind a URL (streamable HTTP): each message is a POST, its answer JSON or a stream of events; a GET hears the rest.
#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "aio/notifier.h"
#include "aio/time.h"
#include "mcp/transport.h"
#include "net/http_client.h"
#include "net/sse.h"

namespace mcp {

struct HttpAddress {
  std::string url;
  std::vector<net::HttpHeader> headers;  // of every request; they may hold secrets
};

class HttpTransport final : public Transport {
 public:
  // The references outlive it.
  HttpTransport(boost::asio::io_context& io, net::HttpClient& http, aio::Time& time, HttpAddress address);

  // From the handshake on. A server that offers no stream is not asked again.
  aio::Task<std::string> listen(Listener& listener) override;
  // Where a stream breaks and the server has numbered its events, it is read on from there.
  aio::Task<base::Result<>> send(std::string message, Listener& listener) override;
  bool answers_while_sending() const override { return true; }
  void agreed(std::string_view version) override;
  aio::Task<> close() override;

 private:
  net::HttpCall call(std::string method, std::string body) const;
  net::HttpCall get(const std::string& last_id) const;
  base::Result<> judge(const net::HttpHead& head);
  aio::Task<base::Result<>> hear_answer(net::HttpExchange& exchange, const net::HttpHead& head, Listener& listener);
  aio::Task<base::Result<>> hear_body(net::HttpExchange& exchange, Listener& listener);
  aio::Task<base::Result<>> hear_events(net::HttpExchange& exchange, net::SseParser& parser, Listener& listener);
  aio::Task<base::Result<>> hear_on(std::string last_id, std::int64_t retry_ms, Listener& listener);

  net::HttpClient& http_;
  aio::Time& time_;
  const HttpAddress address_;
  std::string session_, version_;
  aio::Notifier agreed_, never_;
};

}  // namespace mcp
