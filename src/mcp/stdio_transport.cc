#include "mcp/stdio_transport.h"

#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <csignal>

#include "base/limits.h"
#include "base/text.h"
#include "mcp/lines.h"

namespace mcp {

namespace limits = base::limits;
namespace asio = boost::asio;

namespace {

constexpr std::int64_t kGraceMs = 1'000;  // between TERM and KILL, and for the kernel afterwards
constexpr std::int64_t kLookMs = 10;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

StdioTransport::StdioTransport(asio::io_context& io, aio::Time& time, ServerCommand command)
    : time_(time), command_(std::move(command)), input_(io), output_(io), error_(io), to_write_(io), never_(io) {}

aio::Task<std::string> StdioTransport::listen(Listener& listener) {
  auto server = start_server(command_);
  if (!server) {
    why_over_ = server.error().message;
    co_return *why_over_;
  }
  process_ = server->identity;
  input_.assign(server->input.release());
  output_.assign(server->output.release());
  error_.assign(server->error.release());
  why_over_ = co_await converse(listener);
  co_return *why_over_;
}

// Only the end of its output ends it: a server may close the other two, or not read for a while.
aio::Task<std::string> StdioTransport::converse(Listener& listener) {
  using namespace asio::experimental::awaitable_operators;
  auto all = read_output(listener) || write_input() || read_errors();
  const auto first = co_await std::move(all);
  co_return std::get<0>(first) + last_words();
}

aio::Task<std::string> StdioTransport::read_output(Listener& listener) {
  Lines lines(limits::kMcpMessageBytesMax);
  std::string buffer(64 << 10, '\0');
  for (;;) {
    const auto [ec, count] = co_await output_.async_read_some(asio::buffer(buffer), kTuple);
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    if (ec || count == 0) co_return "the server ended";
    lines.feed({buffer.data(), count});
    while (const auto line = lines.next()) {
      if (line->too_long)
        listener.received_too_long();
      else if (!base::trim(line->text).empty())
        listener.received(line->text);
    }
  }
}

aio::Task<> StdioTransport::write_input() {
  for (;;) {
    while (outbox_.empty()) co_await to_write_.wait();
    const auto line = std::move(outbox_.front());
    outbox_.pop_front();
    outbox_bytes_ -= line.size();
    const auto [ec, count] = co_await asio::async_write(input_, asio::buffer(line), kTuple);
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    if (ec) break;
  }
  co_await never_.wait();
}

aio::Task<> StdioTransport::read_errors() {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto [ec, count] = co_await error_.async_read_some(asio::buffer(buffer), kTuple);
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    if (ec) break;
    keep_error({buffer.data(), count});
  }
  co_await never_.wait();
}

void StdioTransport::keep_error(std::string_view bytes) {
  error_tail_ += bytes;
  if (error_tail_.size() > limits::kMcpErrorTailBytes) error_tail_.erase(0, error_tail_.size() - limits::kMcpErrorTailBytes);
}

// Also what was written right before the end.
std::string StdioTransport::last_words() {
  std::array<char, 4096> buffer;
  for (int rounds = 0; rounds < 64; ++rounds) {
    const auto count = ::read(error_.native_handle(), buffer.data(), buffer.size());
    if (count <= 0) break;
    keep_error({buffer.data(), static_cast<std::size_t>(count)});
  }
  const auto said = base::trim(error_tail_);
  return said.empty() ? "" : "; it wrote: " + base::utf8_lossy(said);
}

aio::Task<base::Result<>> StdioTransport::send(std::string message, Listener&) {
  if (why_over_) co_return base::fail(base::Errc::unavailable, *why_over_);
  if (outbox_bytes_ + message.size() > limits::kMcpOutboxBytesMax)
    co_return base::fail(base::Errc::unavailable, "the server does not read what it is told");
  message += '\n';
  outbox_bytes_ += message.size();
  outbox_.push_back(std::move(message));
  to_write_.notify_all();
  co_return base::Result<>{};
}

aio::Task<> StdioTransport::close() {
  if (!why_over_) why_over_ = "it was closed";
  boost::system::error_code ignored;
  for (auto* stream : {&input_, &output_, &error_}) stream->close(ignored);
  if (!process_) co_return;
  for (const int number : {SIGTERM, SIGKILL}) {
    signal_server(*process_, number);
    const auto end = time_.steady_ms() + kGraceMs;
    while (server_lives(*process_) && time_.steady_ms() < end) co_await time_.sleep(std::chrono::milliseconds(kLookMs));
    if (!server_lives(*process_)) co_return;
  }
}

}  // namespace mcp
