#include "net/http_server_connection.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/http_server_wire.h"

namespace net {

namespace asio = boost::asio;
namespace log = base::log;

namespace {

constexpr std::int64_t kLingerMs = 2'000;  // a refused client has this long to read why and to close
constexpr std::size_t kLoggedLineBytesMax = 128;

std::string detail_json(std::string_view detail) { return "{\"detail\":\"" + std::string(detail) + "\"}"; }

// Method and path without the query, which may carry a token.
std::string logged_line(const HttpRequest& request) {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  return base::utf8_lossy((request.method + ' ').append(path).substr(0, kLoggedLineBytesMax));
}

}  // namespace

HttpServerShared::HttpServerShared(asio::io_context& io_, HttpServerOptions with, HttpHandler answer)
    : io(io_),
      time(io_),
      options(std::move(with)),
      handler(std::move(answer)),
      deadlines(io_, {options.read_ms, options.idle_ms, options.write_ms, kLingerMs}),
      ended(io_),
      tasks(io_, [](const std::string& name, const std::string& what) {
        log::error("task failed", {{"task", name}, {"error", what}});
      }) {}

// Being one of the server's connections, for as long as the task's frame lives.
class HttpConnection::Membership {
 public:
  explicit Membership(HttpConnection& of) : of_(of) {
    of_.shared_.connections.push_back(of_);
    ++of_.shared_.count;
  }
  ~Membership() {
    of_.cut();
    of_.unwatch();
    of_.disarm();
    of_.ConnectionHook::unlink();
    --of_.shared_.count;
    of_.shared_.ended.notify_all();
  }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

 private:
  HttpConnection& of_;
};

HttpConnection::HttpConnection(HttpServerShared& shared, Tcp::socket socket, Tcp::endpoint remote)
    : shared_(shared), remote_(std::move(remote)), socket_(std::move(socket)) {}

aio::Task<> HttpConnection::run(std::shared_ptr<HttpConnection> self) {
  const Membership membership(*self);
  for (;;) {
    const bool received = co_await self->receive();
    if (!received) co_return;
    bool failed = false;
    try {
      co_await self->call_handler();
    } catch (...) {
      failed = true;
      self->report(std::current_exception());
    }
    const bool again = co_await self->conclude(failed);
    if (!again) co_return;
  }
}

// Not a coroutine: the request lives in the handler's task alone, and no frame of ours holds a second copy.
aio::Task<> HttpConnection::call_handler() {
  const auto request = std::exchange(request_, nullptr);
  return shared_.handler(std::move(*request), *this);
}

// Whether a request arrived; otherwise the connection is to be closed.
aio::Task<bool> HttpConnection::receive() {
  // A handler may have switched cancellation off for its task, which is this task.
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  phase_ = Phase::idle;
  gone_ = false;
  if (rest_.empty()) {
    shared_.deadlines.arm(*this, fresh_ ? Deadlines::Kind::read : Deadlines::Kind::idle);
    const bool arrived = co_await readable();
    if (!arrived) co_return false;
  } else {
    // A client that pipelines does not keep the thread to itself.
    co_await asio::post(asio::use_awaitable);
    if (!socket_.is_open()) co_return false;
  }
  if (!fresh_ || rest_.size()) shared_.deadlines.arm(*this, Deadlines::Kind::read);
  phase_ = Phase::receiving;
  fresh_ = false;

  RequestParser parser(std::exchange(rest_, {}));
  for (auto state = parser.parse(); state != RequestParser::State::done; state = parser.parse()) {
    if (state == RequestParser::State::failed) {
      co_await refuse(parser.status(), parser.problem());
      co_return false;
    }
    if (parser.wants_continue()) {
      static constexpr std::array<std::string_view, 1> kContinue{"HTTP/1.1 100 Continue\r\n\r\n"};
      const bool sent = co_await transmit(Framing::none, kContinue);
      if (!sent) co_return false;
      shared_.deadlines.arm(*this, Deadlines::Kind::read);
    }
    const auto room = parser.room();
    const auto got = ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) {
      parser.received(static_cast<std::size_t>(got));
    } else if (got == 0) {
      if (parser.started()) co_await refuse(400, "The request ended too early");
      co_return false;
    } else if (errno == EAGAIN) {
      const bool arrived = co_await readable();
      if (!arrived) co_return false;
    } else if (errno != EINTR) {
      co_return false;
    }
  }
  disarm();
  auto parsed = parser.take();
  rest_ = std::move(parsed.rest);
  keep_ = parsed.keep_alive && !shared_.draining;
  http_1_0_ = parsed.http_1_0;
  parsed.request.remote = remote_text();
  head_ = parsed.request.method == "HEAD";
  line_ = logged_line(parsed.request);
  request_ = std::make_unique<HttpRequest>(std::move(parsed.request));
  phase_ = Phase::handling;
  co_return true;
}

// Waits for bytes or the end of input. False: closed by us (a deadline, a stop).
aio::Task<bool> HttpConnection::readable() {
  const auto [ec] = co_await socket_.async_wait(Tcp::socket::wait_read, asio::as_tuple(asio::use_awaitable));
  co_return !ec && socket_.is_open();
}

// Answers a request that never became one. The rest of what the client sends is read and dropped for a while: closing
// with unread input would reset the connection, and the client would lose the answer.
aio::Task<> HttpConnection::refuse(int status, std::string_view detail) {
  log::debug("http request refused", {{"status", std::to_string(status)}, {"remote", remote_text()}});
  phase_ = Phase::handling;
  keep_ = false;
  head_ = false;
  HttpResponse response{.status = status, .body = detail_json(detail)};
  co_await send(std::move(response));
  co_await linger();
}

aio::Task<> HttpConnection::linger() {
  phase_ = Phase::idle;
  boost::system::error_code ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  shared_.deadlines.arm(*this, Deadlines::Kind::linger);
  while (!shared_.draining && drop_input()) {
    const bool arrived = co_await readable();
    if (!arrived) co_return;
  }
}

// False at the end of input.
bool HttpConnection::drop_input() {
  std::array<char, 16 << 10> dropped;
  const auto got = ::recv(socket_.native_handle(), dropped.data(), dropped.size(), MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

void HttpConnection::report(const std::exception_ptr& failure) const {
  std::string what = "not a std::exception";
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    if (shared_.cutting && aio::is_cancelled(error)) return;
    what = error.what();
  } catch (...) {
  }
  log::error("http handler failed", {{"request", line_}, {"remote", remote_text()}, {"error", std::move(what)}});
}

// After the handler. Whether the connection can take another request.
aio::Task<bool> HttpConnection::conclude(bool failed) {
  unwatch();
  if (phase_ == Phase::handling && !gone_) {
    if (!failed) log::error("http handler sent nothing", {{"request", line_}, {"remote", remote_text()}});
    HttpResponse response{.status = 500, .body = detail_json("Internal server error")};
    co_await send(std::move(response));
  }
  // An answer that was begun and not completed: the client learns it from the missing end.
  if (phase_ != Phase::answered || !socket_.is_open()) co_return false;
  if (keep_ && !shared_.draining) co_return true;
  boost::system::error_code ignored;
  if (rest_.size() || socket_.available(ignored)) co_await linger();
  co_return false;
}

std::string HttpConnection::remote_text() const {
  const auto address = remote_.address().to_string();
  const auto port = std::to_string(remote_.port());
  return remote_.address().is_v6() ? '[' + address + "]:" + port : address + ':' + port;
}

void HttpConnection::expired() {
  if (phase_ == Phase::receiving) {
    // One try, without waiting: who could not send a request in time may still read why.
    const auto body = detail_json("The request did not arrive in time");
    ResponseHead head{.status = 408, .content_type = "application/json", .headers = {}};
    head.body_bytes = body.size();
    head.connection = ResponseHead::Connection::close;
    const auto text = head_text(head) + body;
    [[maybe_unused]] const auto sent = ::send(socket_.native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  lose();
}

}  // namespace net
