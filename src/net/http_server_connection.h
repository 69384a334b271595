#pragma once
// One connection of the HTTP server: reads a request, lets the handler answer it, and again. At rest in a stream it is
// this object, its coroutine and one pending wait on the socket: no buffer, no parser, no timer.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "aio/notifier.h"
#include "aio/task_group.h"
#include "aio/time.h"
#include "net/http_server.h"
#include "net/http_server_deadline.h"

namespace net {

struct HttpServerShared;

using ConnectionHook = boost::intrusive::list_base_hook<boost::intrusive::tag<class HttpConnection>,
                                                        boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

// Held by a shared_ptr because the reactor's pending wait for the client's close can end one turn of the loop after the
// connection's task has. After that it touches nothing of the server.
class HttpConnection final : public HttpReply,
                             public Deadline,
                             public ConnectionHook,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  using Tcp = boost::asio::ip::tcp;

  // `shared` must live until run() has ended.
  HttpConnection(HttpServerShared& shared, Tcp::socket socket, Tcp::endpoint remote);

  // The connection's whole life. Io thread; owned by the server's task group.
  static aio::Task<> run(std::shared_ptr<HttpConnection> self);

  // Nothing of a request has arrived, or everything is answered.
  bool idle() const { return phase_ == Phase::idle; }
  // Closes the socket at once. The handler's callback is not called: this is not the client's doing.
  void cut();

  aio::Task<> send(HttpResponse response) override;
  aio::Task<bool> begin(int status, std::string content_type, std::vector<HttpHeader> headers) override;
  aio::Task<bool> write(std::span<const std::string_view> parts) override;
  aio::Task<> finish() override;
  void on_gone(std::function<void()> callback) override;
  bool gone() const override { return gone_; }

 private:
  enum class Phase : std::uint8_t { idle, receiving, handling, sending, streaming, answered };
  enum class Framing : std::uint8_t { none, chunk };
  class Membership;

  // Reading (http_server_connection.cc).
  aio::Task<bool> receive();
  aio::Task<bool> readable();
  aio::Task<> refuse(int status, std::string_view detail);
  aio::Task<> linger();
  bool drop_input();
  aio::Task<> call_handler();
  void report(const std::exception_ptr& failure) const;
  aio::Task<bool> conclude(bool failed);
  std::string remote_text() const;
  void expired() override;

  // Answering (http_server_reply.cc).
  void start_answer(Phase next);
  aio::Task<bool> transmit(Framing framing, std::span<const std::string_view> parts);

  // Watching for the client's close (http_server_reply.cc).
  void watch();
  void watched(std::uint32_t turn, const boost::system::error_code& ec);
  void unwatch();
  void lose();
  void tell_gone();

  // constant after construction
  HttpServerShared& shared_;
  const Tcp::endpoint remote_;

  // io thread only
  Tcp::socket socket_;
  std::unique_ptr<HttpRequest> request_;  // between its arrival and its handler
  std::string rest_;                      // bytes that arrived behind the last request
  std::string line_;                      // method and path, for the log
  std::function<void()> on_gone_;
  std::uint32_t turn_ = 0;             // counts requests: what was started for an earlier one is void
  std::uint32_t unyielded_bytes_ = 0;  // sent without giving way to other tasks
  Phase phase_ = Phase::idle;
  bool fresh_ = true;  // no request yet
  bool keep_ = true;
  bool http_1_0_ = false;
  bool head_ = false;  // the method is HEAD
  bool gone_ = false;
  bool watching_ = false;
};

// What the connections of one server have in common. Io thread only.
struct HttpServerShared {
  HttpServerShared(boost::asio::io_context& io, HttpServerOptions with, HttpHandler answer);

  boost::asio::io_context& io;
  aio::SystemTime time;  // connections are of the real world
  const HttpServerOptions options;
  const HttpHandler handler;
  Deadlines deadlines;
  aio::Notifier ended;  // a connection, or the accept loop, has ended
  boost::intrusive::list<HttpConnection, boost::intrusive::base_hook<ConnectionHook>, boost::intrusive::constant_time_size<false>>
      connections;
  std::size_t count = 0;
  bool draining = false;  // no further request on any connection
  bool cutting = false;   // tasks are being cancelled
  aio::TaskGroup tasks;   // last: joined first
};

}  // namespace net
