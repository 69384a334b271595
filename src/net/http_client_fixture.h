#pragma once
// For tests: a tiny HTTP/1.1 peer on the loopback, played by the test itself, and a runner for test coroutines.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "aio/task_group.h"
#include "base/text.h"
#include "net/http_client.h"

namespace net {

using boost::asio::ip::tcp;

struct PeerRequest {
  std::string head;  // request line and headers
  std::string body;
};

// One accepted connection.
class Peer {
 public:
  explicit Peer(tcp::socket accepted) : socket(std::move(accepted)) {}

  // The next request. Throws at the end of the connection.
  aio::Task<PeerRequest> request() {
    const auto size = co_await boost::asio::async_read_until(socket, boost::asio::dynamic_buffer(buffer_), "\r\n\r\n",
                                                             boost::asio::use_awaitable);
    PeerRequest request{.head = buffer_.substr(0, size), .body = {}};
    buffer_.erase(0, size);
    const auto lower = base::to_lower(request.head);
    std::size_t length = 0;
    if (const auto at = lower.find("content-length: "); at != lower.npos) length = std::stoul(lower.substr(at + 16));
    while (buffer_.size() < length) {
      char bytes[65536];
      const auto n = co_await socket.async_read_some(boost::asio::buffer(bytes), boost::asio::use_awaitable);
      buffer_.append(bytes, n);
    }
    request.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    co_return request;
  }

  aio::Task<> send(std::string bytes) {
    co_await boost::asio::async_write(socket, boost::asio::buffer(bytes), boost::asio::use_awaitable);
    sent += bytes.size();
  }

  // A whole answer of known length.
  aio::Task<> answer(int status, std::string headers, std::string body) {
    auto bytes = "HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers + "content-length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body;
    co_await send(std::move(bytes));
  }

  aio::Task<> begin_stream(std::string content_type = "text/event-stream") {
    auto bytes = "HTTP/1.1 200 OK\r\ncontent-type: " + content_type + "\r\ntransfer-encoding: chunked\r\n\r\n";
    co_await send(std::move(bytes));
  }
  aio::Task<> chunk(std::string data) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    auto bytes = size + data + "\r\n";
    co_await send(std::move(bytes));
  }
  aio::Task<> end_stream() { co_await send("0\r\n\r\n"); }

  // Waits until the client has closed; what it still sends is dropped.
  aio::Task<> closed() {
    for (boost::system::error_code ec; !ec;) {
      char bytes[4096];
      co_await socket.async_read_some(boost::asio::buffer(bytes), boost::asio::redirect_error(boost::asio::use_awaitable, ec));
    }
  }

  tcp::socket socket;
  std::size_t sent = 0;

 private:
  std::string buffer_;
};

// Base of the test fixtures: a client, a server whose connections run `serve`, and run() for the test's own coroutine.
class LoopbackTest : public testing::Test {
 protected:
  using Serve = std::function<aio::Task<>(Peer&)>;

  LoopbackTest() : client(io), acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {}

  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + path;
  }
  HttpCall get(const std::string& path = "/") const {
    return {.method = "GET", .url = url(path), .headers = {}, .body = {}, .connect_ms = 5'000};
  }

  // A task beside the test, cancelled at its end.
  void spawn(aio::Task<> task) { peers_->spawn("beside", std::move(task)); }

  // Runs the test to its end while `serve` plays the other side. Fails a test that hangs.
  void run(Serve serve, aio::Task<> test) {
    serve_ = std::move(serve);
    peers_.emplace(io, [](const std::string&, const std::string&) {});
    spawn(accept());
    std::exception_ptr failure;
    boost::asio::steady_timer watchdog(io, std::chrono::seconds(20));
    watchdog.async_wait([this](boost::system::error_code ec) {
      if (ec) return;
      ADD_FAILURE() << "the test hangs";
      io.stop();
    });
    boost::asio::co_spawn(io, whole(std::move(test)), [&](std::exception_ptr thrown) {
      failure = thrown;
      watchdog.cancel();
    });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
  }

  boost::asio::io_context io{1};
  HttpClient client;
  tcp::acceptor acceptor;
  int accepted = 0;

 private:
  aio::Task<> whole(aio::Task<> test) {
    std::exception_ptr failure;
    try {
      co_await std::move(test);
    } catch (...) {
      failure = std::current_exception();
    }
    peers_->close();
    peers_->cancel();
    co_await peers_->join();
    if (failure) std::rethrow_exception(failure);
  }

  aio::Task<> accept() {
    for (;;) {
      auto socket = co_await acceptor.async_accept(boost::asio::use_awaitable);
      ++accepted;
      spawn(play(std::make_unique<Peer>(std::move(socket))));
    }
  }

  aio::Task<> play(std::unique_ptr<Peer> peer) { co_await serve_(*peer); }

  Serve serve_;
  std::optional<aio::TaskGroup> peers_;
};

// The rest of the body, and how it ended.
struct WholeBody {
  std::string bytes;
  std::optional<base::Error> error;
};
inline aio::Task<WholeBody> read_all(HttpExchange& exchange) {
  WholeBody whole;
  for (;;) {
    const auto bytes = co_await exchange.read();
    if (!bytes) {
      whole.error = bytes.error();
      co_return whole;
    }
    if (bytes->empty()) co_return whole;
    whole.bytes += *bytes;
  }
}

}  // namespace net
