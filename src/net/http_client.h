#pragma once
// HTTP client on the io loop over libcurl's multi-socket interface: proxies, TLS stores, HTTP/2 and connection reuse as
// users have them configured. Bodies are pulled: a reader that does not read stops the transfer (bounded memory).
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aio/task.h"
#include "base/error.h"

namespace net {

struct HttpHeader {
  std::string name;   // any case when sent, lower case when received
  std::string value;
};

struct HttpCall {
  std::string method = "POST";
  std::string url;
  std::vector<HttpHeader> headers;
  std::string body;
  std::int64_t connect_ms;
};

struct HttpHead {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::optional<std::string_view> header(std::string_view lower_name) const;
};

// One exchange. Destroying it closes the connection if the body was not read to its end. Io thread only.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  // Waits for the final response's status line and headers. Errc: network, timed_out (connect).
  virtual aio::Task<base::Result<HttpHead>> head() = 0;
  // The next bytes of the body, at least one; empty at its end. The view is valid until the next read.
  // Errc::network when the connection breaks before the end. Throws when the awaiting task is cancelled.
  virtual aio::Task<base::Result<std::string_view>> read() = 0;
};

class HttpClient {
 public:
  explicit HttpClient(boost::asio::io_context& io);
  ~HttpClient();  // every exchange must have been destroyed
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Starts the transfer. libcurl is initialised at the first call, so that commands which need no network stay quick.
  std::unique_ptr<HttpExchange> start(HttpCall call);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace net
