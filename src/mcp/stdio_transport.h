#pragma once
// A server as a process of its own: messages are lines of its standard input and output.
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <optional>
#include <string>

#include "aio/notifier.h"
#include "aio/time.h"
#include "mcp/server_process.h"
#include "mcp/transport.h"

namespace mcp {

class StdioTransport final : public Transport {
 public:
  // `io` and `time` outlive it.
  StdioTransport(boost::asio::io_context& io, aio::Time& time, ServerCommand command);

  // The reason ends in the last that the server wrote to its standard error.
  aio::Task<std::string> listen(Listener& listener) override;
  aio::Task<base::Result<>> send(std::string message, Listener& listener) override;
  bool answers_while_sending() const override { return false; }
  void agreed(std::string_view) override {}
  aio::Task<> close() override;

 private:
  using Stream = boost::asio::posix::stream_descriptor;
  aio::Task<std::string> converse(Listener& listener);
  aio::Task<std::string> read_output(Listener& listener);
  aio::Task<> write_input();
  aio::Task<> read_errors();
  void keep_error(std::string_view bytes);
  std::string last_words();

  aio::Time& time_;
  const ServerCommand command_;
  std::optional<base::ProcessIdentity> process_;
  Stream input_, output_, error_;
  std::deque<std::string> outbox_;  // lines that the server has not taken
  std::size_t outbox_bytes_ = 0;
  aio::Notifier to_write_, never_;
  std::string error_tail_;
  std::optional<std::string> why_over_;  // nothing more can be said
};

}  // namespace mcp
