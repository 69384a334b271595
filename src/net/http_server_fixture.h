#pragma once
// For tests of the HTTP server: a server on a loop of its own, and a raw blocking client that sees every byte.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "aio/notifier.h"
#include "base/text.h"
#include "net/http_server.h"

namespace net {

using Clock = std::chrono::steady_clock;
inline constexpr std::chrono::seconds kPatience{5};  // a test that waits this long has failed

inline std::int64_t ms_since(Clock::time_point began) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
}

// What a read ended with.
enum class End { bytes, closed, reset, timeout };

class RawClient {
 public:
  RawClient() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) : RawClient() {
    if (receive_buffer) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    connect(port);
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void connect(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  // False when the server has closed already, which a server that refuses early may do.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_input() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }

  // Waits for more bytes.
  End more() {
    pollfd wanted{fd_, POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0) return End::timeout;
    char bytes[64 << 10];
    const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
    return got > 0 ? End::bytes : got == 0 ? End::closed : End::reset;
  }
  // Everything up to and with `mark`; what there is if it never comes.
  std::string until(std::string_view mark) {
    for (;;) {
      const auto at = buffer_.find(mark);
      if (at != std::string::npos) return take(at + mark.size());
      if (more() != End::bytes) return take(buffer_.size());
    }
  }
  std::string exactly(std::size_t bytes) {
    while (buffer_.size() < bytes && more() == End::bytes) {
    }
    return take(std::min(bytes, buffer_.size()));
  }
  // Everything until the connection ends.
  std::string rest() {
    End end = more();
    while (end == End::bytes) end = more();
    EXPECT_NE(end, End::timeout);
    return take(buffer_.size());
  }
  // One chunk of a chunked body; nothing at its end or at a cut.
  std::optional<std::string> chunk() {
    const auto line = until("\r\n");
    if (line.size() < 3) return std::nullopt;
    const auto size = std::stoul(line, nullptr, 16);
    auto bytes = exactly(size + 2);
    if (bytes.size() < size + 2 || size == 0) return std::nullopt;
    bytes.resize(size);
    return bytes;
  }

  struct Answer {
    int status = 0;
    std::string head, body;
  };
  // A response with a content-length, or without a body.
  Answer answer() {
    Answer out;
    out.head = until("\r\n\r\n");
    if (out.head.size() < 12) return out;
    out.status = std::stoi(out.head.substr(9, 3));
    static constexpr std::string_view kLength = "\r\ncontent-length: ";
    const auto at = out.head.find(kLength);
    if (at != std::string::npos) out.body = exactly(std::stoul(out.head.substr(at + kLength.size())));
    return out;
  }
  Answer get(std::string_view target) {
    send("GET " + std::string(target) + " HTTP/1.1\r\nhost: x\r\n\r\n");
    return answer();
  }

 private:
  std::string take(std::size_t bytes) {
    auto out = buffer_.substr(0, bytes);
    buffer_.erase(0, bytes);
    return out;
  }
  int fd_;
  std::string buffer_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  // The server of this test. Its handler runs on the loop's thread.
  void start(HttpHandler handler, HttpServerOptions options = {}) {
    server = std::make_unique<HttpServer>(io, std::move(options), std::move(handler));
    const auto listening = server->listen();
    ASSERT_TRUE(listening) << listening.error().message;
    running = boost::asio::co_spawn(io, server->run(), boost::asio::use_future);
    loop = std::thread([this] { io.run(); });
    port = server->port();
  }
  // Runs on the loop's thread and waits for the result.
  template <class Call>
  auto on_loop(Call call) {
    return boost::asio::post(io, std::packaged_task<std::invoke_result_t<Call&>()>(std::move(call))).get();
  }
  // How long it took.
  std::int64_t stop(std::int64_t grace_ms) {
    const auto began = Clock::now();
    boost::asio::co_spawn(io, server->stop(grace_ms), boost::asio::use_future).get();
    return ms_since(began);
  }
  void TearDown() override {
    if (!loop.joinable()) return;
    stop(0);
    EXPECT_EQ(server->connections(), 0u);
    EXPECT_EQ(running.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    on_loop([this] { server.reset(); });
    work.reset();
    loop.join();
  }
  // Waits until the server has that many connections: their ends are events of the loop, so it is polled there.
  bool connections_become(std::size_t wanted) {
    const auto began = Clock::now();
    while (on_loop([this] { return server->connections(); }) != wanted)
      if (ms_since(began) > std::chrono::milliseconds(kPatience).count()) return false;
    return true;
  }

  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<HttpServer> server;
  std::future<void> running;
  std::thread loop;
  std::uint16_t port = 0;
};

template <class T>
T within_patience(std::future<T> future) {
  EXPECT_EQ(future.wait_for(kPatience), std::future_status::ready);
  if (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) throw std::runtime_error("waited in vain");
  return future.get();
}

}  // namespace net
