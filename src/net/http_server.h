#pragma once
// HTTP/1.1 server on the io loop. Beast lives in the .cc files only (17 s and 430 MB to compile one).
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aio/task.h"
#include "base/error.h"
#include "base/limits.h"
#include "net/http_client.h"  // HttpHeader

namespace net {

struct HttpRequest {
  std::string method;               // "GET"
  std::string target;               // as sent: path and query
  std::vector<HttpHeader> headers;  // lower-case names, in order
  std::string body;
  std::string remote;  // "127.0.0.1:41234"
  std::optional<std::string_view> header(std::string_view lower_name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";  // empty: no body, no content-type (204)
  std::string body;
  std::vector<HttpHeader> headers = {};
};

// The answering side of one request. Io thread only; lives until the handler's task ends.
class HttpReply {
 public:
  virtual ~HttpReply() = default;

  // Sends a whole response. At most one of send/begin per request; a handler that sends nothing answers 500.
  virtual aio::Task<> send(HttpResponse response) = 0;

  // Starts a chunked response and frees the request's buffers. False: the client is gone.
  virtual aio::Task<bool> begin(int status, std::string content_type, std::vector<HttpHeader> headers) = 0;
  // Sends one chunk made of these parts, gathered into one write; the bytes must live until it returns. Each write must
  // finish within kHttpWriteMs, which is what cuts a stalled reader. False: the client is gone or was cut.
  virtual aio::Task<bool> write(std::span<const std::string_view> parts) = 0;
  // Ends the body properly. Without it the connection is cut without the final chunk, so that a client knows to resume.
  virtual aio::Task<> finish() = 0;

  // Called at most once, on the io thread and never from inside a call of the handler, when the client closes or resets
  // the connection or is cut as a stalled reader. It may be set before begin too, then the watch starts with it (a long
  // call that answers at its end); a client that only closed its sending half still gets what `send` sends. A client that
  // pipelines its next request is not watched further. A stop of the server is no event of the client: the handler's task
  // is cancelled then and the callback is not called. Set it before the first wait; it is dropped when the handler ends.
  virtual void on_gone(std::function<void()> callback) = 0;
  virtual bool gone() const = 0;
};

// Runs as a task per request. An exception is logged and answered with 500 {"detail":"Internal server error"} if nothing was
// sent.
using HttpHandler = std::function<aio::Task<>(HttpRequest request, HttpReply& reply)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses
  std::int64_t read_ms = base::limits::kHttpReadMs;
  std::int64_t idle_ms = base::limits::kHttpIdleMs;
  std::int64_t write_ms = base::limits::kHttpWriteMs;
  std::size_t connections_max = base::limits::kConnectionsMax;
};

class HttpServer {
 public:
  HttpServer(boost::asio::io_context& io, HttpServerOptions options, HttpHandler handler);
  ~HttpServer();  // after stop() has ended, or if run() was never called
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds and listens; the message says address, port and reason (in use, not permitted).
  base::Result<> listen();
  std::uint16_t port() const;
  std::size_t connections() const;
  // Accepts until stop(). Io thread.
  aio::Task<> run();
  // Closes the listener and idle connections; requests under way go on.
  void close();
  // Waits up to `grace_ms` for requests under way, then cuts all connections (streams without a final chunk) and joins them.
  aio::Task<> stop(std::int64_t grace_ms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace net
