#include "net/http_server.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "aio/task_group.h"
#include "base/log.h"
#include "net/http_server_connection.h"

namespace net {

namespace asio = boost::asio;
namespace log = base::log;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr int kAcceptsPerTurn = 64;  // then other tasks get their turn
constexpr milliseconds kAcceptBackoff{100};
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "content-type: application/json\r\n"
    "content-length: 33\r\n"
    "connection: close\r\n"
    "retry-after: 1\r\n"
    "\r\n"
    "{\"detail\":\"Too many connections\"}";

base::Errc errc_of(const boost::system::error_code& ec) {
  return ec == boost::system::errc::permission_denied ? base::Errc::denied : base::Errc::unavailable;
}

// Whether an accept that failed so says something about one client only, and the next one may be fine.
bool only_this_client(int error) {
  switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case ENONET: return true;
    default: return false;
  }
}

}  // namespace

struct HttpServer::Impl {
  Impl(asio::io_context& io, HttpServerOptions options, HttpHandler handler)
      : shared(io, std::move(options), std::move(handler)), acceptor(io), backoff(io) {}

  base::Result<> listen();
  aio::Task<> run();
  void close();
  aio::Task<> stop(std::int64_t grace_ms);

  // An errno when accepting has to pause.
  int accept_some();
  void admit(int descriptor, tcp::endpoint remote);

  HttpServerShared shared;
  tcp::acceptor acceptor;
  asio::steady_timer backoff;
  bool running = false;
  bool timing = false;  // the deadlines' task has been started
  // Said in the log once, not for every connection while it lasts.
  bool stuck = false;  // accepting fails
  bool full = false;   // connections are turned away
};

HttpServer::HttpServer(asio::io_context& io, HttpServerOptions options, HttpHandler handler)
    : impl_(std::make_unique<Impl>(io, std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() = default;

base::Result<> HttpServer::listen() { return impl_->listen(); }

std::uint16_t HttpServer::port() const {
  boost::system::error_code ignored;
  return impl_->acceptor.local_endpoint(ignored).port();
}

std::size_t HttpServer::connections() const { return impl_->shared.count; }
aio::Task<> HttpServer::run() { return impl_->run(); }
void HttpServer::close() { impl_->close(); }
aio::Task<> HttpServer::stop(std::int64_t grace_ms) { return impl_->stop(grace_ms); }

base::Result<> HttpServer::Impl::listen() {
  const auto& options = shared.options;
  boost::system::error_code ec;
  const auto address =
      options.address == "localhost" ? asio::ip::make_address("127.0.0.1") : asio::ip::make_address(options.address, ec);
  if (ec) {
    return base::fail(base::Errc::invalid_argument,
                      "cannot listen on \"" + options.address + "\": not an IPv4 or IPv6 address, such as 127.0.0.1 or 0.0.0.0");
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) acceptor.non_blocking(true, ec);
  if (!ec) {
    ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
    return {};
  }
  boost::system::error_code ignored;
  acceptor.close(ignored);
  const auto host = address.is_v6() ? '[' + address.to_string() + ']' : address.to_string();
  return base::fail(errc_of(ec), "cannot listen on " + host + ':' + std::to_string(options.port) + ": " + ec.message());
}

aio::Task<> HttpServer::Impl::run() {
  // stop() waits for the end of this frame, however it comes.
  struct Running {
    Impl& of;
    explicit Running(Impl& impl) : of(impl) { of.running = true; }
    ~Running() {
      of.running = false;
      of.shared.ended.notify_all();
    }
  } const scope(*this);

  if (!std::exchange(timing, true)) shared.tasks.spawn("http deadlines", shared.deadlines.run());
  while (acceptor.is_open()) {
    const auto [ec] = co_await acceptor.async_wait(tcp::acceptor::wait_read, asio::as_tuple(asio::use_awaitable));
    if (!acceptor.is_open()) break;
    if (ec) throw boost::system::system_error(ec);  // cancelled, or the loop is broken
    const int error = accept_some();
    const bool still = std::exchange(stuck, error != 0);
    if (!error) continue;
    if (!still) log::error("cannot accept connections", {{"error", boost::system::system_category().message(error)}});
    backoff.expires_after(kAcceptBackoff);
    co_await backoff.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

// accept4 and not Asio's accept: connections must not be inherited by child processes, and come in batches.
int HttpServer::Impl::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    tcp::endpoint remote;
    auto size = static_cast<socklen_t>(remote.capacity());
    const int descriptor = ::accept4(acceptor.native_handle(), remote.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor >= 0) {
      remote.resize(size);
      admit(descriptor, remote);
    } else if (errno == EAGAIN) {
      return 0;
    } else if (!only_this_client(errno)) {
      return errno;
    }
  }
  return 0;
}

void HttpServer::Impl::admit(int descriptor, tcp::endpoint remote) {
  if (shared.count >= shared.options.connections_max) {
    if (!std::exchange(full, true)) log::warning("too many connections", {{"connections", std::to_string(shared.count)}});
    [[maybe_unused]] const auto sent = ::send(descriptor, kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    // Unread input would turn the close into a reset, which can overtake the answer.
    ::shutdown(descriptor, SHUT_WR);
    std::array<char, 4 << 10> dropped;
    while (::recv(descriptor, dropped.data(), dropped.size(), MSG_DONTWAIT) > 0) {
    }
    ::close(descriptor);
    return;
  }
  full = false;
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  tcp::socket socket(shared.io);
  boost::system::error_code ec;
  socket.assign(remote.protocol(), descriptor, ec);
  if (ec) {
    log::error("cannot watch a connection", {{"error", ec.message()}});
    ::close(descriptor);
    return;
  }
  auto connection = std::make_shared<HttpConnection>(shared, std::move(socket), std::move(remote));
  shared.tasks.spawn("http", HttpConnection::run(std::move(connection)));
}

void HttpServer::Impl::close() {
  shared.draining = true;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  backoff.cancel();
  for (auto& connection : shared.connections)
    if (connection.idle()) connection.cut();
}

aio::Task<> HttpServer::Impl::stop(std::int64_t grace_ms) {
  close();
  const auto until = steady_clock::now() + milliseconds(grace_ms);
  while (shared.count) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    if (left <= milliseconds(0)) break;
    co_await aio::wait_for(shared.time, shared.ended, left);
  }
  shared.cutting = true;
  shared.tasks.close();
  // Tasks first: a handler learns of the stop by its own cancellation, not by a write that looks like a client's fault.
  shared.tasks.cancel();
  for (auto& connection : shared.connections) connection.cut();
  co_await shared.tasks.join();
  while (running) co_await shared.ended.wait();
}

}  // namespace net
