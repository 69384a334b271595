#pragma once
// What goes over the wire, without any I/O: the request parser (Beast's, hidden here) and the text of response heads.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/http_server.h"

namespace net {

struct ParsedRequest {
  HttpRequest request;
  bool keep_alive = false;  // what the client wishes
  bool http_1_0 = false;    // knows no chunks and no 100 Continue
  std::string rest;         // bytes of the next request that arrived with this one
};

// Parses one request from bytes as they arrive. Bounded by kHttpHeaderBytesMax and kHttpBodyBytesMax.
class RequestParser {
 public:
  enum class State { more, done, failed };

  // `received`: bytes that arrived with the request before.
  explicit RequestParser(std::string received);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Looks at the bytes received so far. To be called again after `more` only.
  State parse();
  // Where to receive more bytes, not empty; then say how many came.
  std::span<char> room();
  void received(std::size_t bytes);

  // Any byte of the request is here (blank lines before it do not count).
  bool started() const;
  // The client waits for 100 Continue before it sends its body. True once.
  bool wants_continue();
  // After `failed`: a 4xx status and a sentence.
  int status() const;
  std::string_view problem() const;
  // After `done`.
  ParsedRequest take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct ResponseHead {
  enum class Body { none, sized, chunked, until_close };
  enum class Connection { implied, close, keep_alive };

  int status = 200;
  std::string_view content_type;  // empty: no such line
  std::span<const HttpHeader> headers;
  Body body = Body::sized;
  std::size_t body_bytes = 0;  // of a sized body
  Connection connection = Connection::implied;
  std::int64_t unix_seconds = 0;
};

// Status line and header lines up to the blank one. Names in lower case; control characters in names and values become
// spaces, so that text from outside cannot add lines. Framing headers among `headers` are left out: they are ours to say.
std::string head_text(const ResponseHead& head);

// RFC 9110: a response of this status has no body and no content-length (1xx, 204, 304).
bool bodiless(int status);
// The handler's own headers say "connection: close".
bool says_close(std::span<const HttpHeader> headers);

}  // namespace net
