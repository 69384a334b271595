#include "net/http_server_wire.h"

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace net {

namespace http = boost::beast::http;
namespace limits = base::limits;

namespace {

constexpr std::size_t kHeaderReadBytes = 4 << 10;  // most requests are one small packet
constexpr std::size_t kBodyReadBytes = 64 << 10;

struct Refusal {
  int status;
  std::string_view problem;
};

// Every enumerator that is not about size or version is one more way of being malformed.
Refusal refusal(const boost::system::error_code& ec) {
  if (ec == http::error::header_limit) return {431, "The request's header is too large"};
  if (ec == http::error::body_limit || ec == http::error::buffer_overflow) return {413, "The request's body is too large"};
  if (ec == http::error::bad_version) return {400, "Only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, "Malformed HTTP request"};
}

char harmless(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c; }

void add_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  std::ranges::transform(value, std::back_inserter(out), harmless);
  out += "\r\n";
}

std::string http_date(std::int64_t unix_seconds) {
  const std::time_t seconds = unix_seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const auto size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(text, size);
}

}  // namespace

struct RequestParser::Impl {
  http::request_parser<http::string_body> parser;
  std::string buffer;  // bytes [from, filled) are received and not yet consumed
  std::size_t from = 0;
  std::size_t filled = 0;
  std::size_t header_bytes = 0;  // consumed as header so far
  Refusal refused{};

  std::size_t pending() const { return filled - from; }
  State fail(Refusal why) {
    refused = why;
    return State::failed;
  }
  State parse_header();
  State parse_body();
  std::optional<Refusal> objection() const;
};

RequestParser::RequestParser(std::string received) : impl_(std::make_unique<Impl>()) {
  impl_->filled = received.size();
  impl_->buffer = std::move(received);
  impl_->parser.header_limit(limits::kHttpHeaderBytesMax);
  impl_->parser.body_limit(limits::kHttpBodyBytesMax);
}

RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::parse() {
  auto& self = *impl_;
  if (!self.parser.got_some()) {
    // RFC 9112 2.2: blank lines before a request are to be ignored.
    while (self.pending() && (self.buffer[self.from] == '\r' || self.buffer[self.from] == '\n')) ++self.from;
  }
  auto state = State::more;
  if (!self.parser.is_header_done()) state = self.parse_header();
  if (state == State::more && self.parser.is_header_done()) state = self.parse_body();
  if (state == State::more) {
    std::memmove(self.buffer.data(), self.buffer.data() + self.from, self.pending());
    self.filled -= std::exchange(self.from, 0);
  }
  return state;
}

RequestParser::State RequestParser::Impl::parse_header() {
  if (!pending()) return State::more;
  boost::system::error_code ec;
  // Without eager the parser stops at the end of the header, so that its size is known whatever came with it.
  const auto used = parser.put(boost::asio::buffer(buffer.data() + from, pending()), ec);
  from += used;
  header_bytes += used;
  if (ec && ec != http::error::need_more) return fail(refusal(ec));
  const auto size = header_bytes + (parser.is_header_done() ? 0 : pending());
  if (size > limits::kHttpHeaderBytesMax) return fail(refusal(http::error::header_limit));
  if (!parser.is_header_done()) return State::more;
  if (const auto why = objection()) return fail(*why);
  parser.eager(true);
  return parser.is_done() ? State::done : State::more;
}

// What Beast lets through and RFC 9112 does not; most of it would let a proxy and us see different requests (smuggling).
std::optional<Refusal> RequestParser::Impl::objection() const {
  const auto& request = parser.get();
  const auto hosts = request.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && request.version() == 11)) return Refusal{400, "A request needs exactly one Host header"};
  const auto encoding = request.find(http::field::transfer_encoding);
  if (encoding == request.end()) return std::nullopt;
  const auto value = encoding->value();
  const bool chunked = base::to_lower(base::trim(std::string_view(value.data(), value.size()))) == "chunked";
  if (!chunked || request.version() == 10) return Refusal{400, "The only transfer-encoding understood is chunked"};
  return std::nullopt;
}

RequestParser::State RequestParser::Impl::parse_body() {
  while (pending()) {
    boost::system::error_code ec;
    const auto used = parser.put(boost::asio::buffer(buffer.data() + from, pending()), ec);
    from += used;
    if (ec == http::error::need_more) break;
    if (ec) return fail(refusal(ec));
    if (parser.is_done()) return State::done;
  }
  // What the parser leaves is an unfinished chunk header or trailer; Beast itself does not bound them.
  if (pending() > limits::kHttpHeaderBytesMax) return fail(refusal(http::error::header_limit));
  return State::more;
}

std::span<char> RequestParser::room() {
  auto& self = *impl_;
  const auto bytes = self.parser.is_header_done() ? kBodyReadBytes : kHeaderReadBytes;
  if (self.buffer.size() < self.filled + bytes) self.buffer.resize(self.filled + bytes);
  return std::span(self.buffer).subspan(self.filled);
}

void RequestParser::received(std::size_t bytes) { impl_->filled += bytes; }

bool RequestParser::started() const { return impl_->parser.got_some() || impl_->pending(); }

bool RequestParser::wants_continue() {
  auto& parser = impl_->parser;
  if (!parser.is_header_done() || parser.is_done()) return false;
  auto& request = parser.get();
  const auto expect = request.find(http::field::expect);
  if (expect == request.end() || request.version() < 11) return false;
  const bool wanted = boost::beast::iequals(expect->value(), "100-continue");
  request.erase(http::field::expect);
  return wanted && !impl_->pending();
}

int RequestParser::status() const { return impl_->refused.status; }
std::string_view RequestParser::problem() const { return impl_->refused.problem; }

ParsedRequest RequestParser::take() {
  auto& self = *impl_;
  ParsedRequest out;
  out.keep_alive = self.parser.keep_alive();
  auto message = self.parser.release();
  out.http_1_0 = message.version() == 10;
  out.request.method = message.method_string();
  out.request.target = message.target();
  out.request.headers.reserve(static_cast<std::size_t>(std::distance(message.begin(), message.end())));
  for (const auto& field : message) {
    const std::string_view name(field.name_string().data(), field.name_string().size());
    out.request.headers.push_back({base::to_lower(name), std::string(field.value())});
  }
  out.request.body = std::move(message.body());
  out.rest.assign(self.buffer, self.from, self.pending());
  return out;
}

std::optional<std::string_view> HttpRequest::header(std::string_view lower_name) const {
  const auto at = std::ranges::find(headers, lower_name, &HttpHeader::name);
  if (at == headers.end()) return std::nullopt;
  return at->value;
}

std::string head_text(const ResponseHead& head) {
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(head.status)));
  std::string out = "HTTP/1.1 " + std::to_string(head.status) + ' ';
  out.append(reason.data(), reason.size()).append("\r\n");
  add_line(out, "date", http_date(head.unix_seconds));
  if (!head.content_type.empty()) add_line(out, "content-type", head.content_type);
  switch (head.body) {
    case ResponseHead::Body::none:
    case ResponseHead::Body::until_close: break;
    case ResponseHead::Body::sized: add_line(out, "content-length", std::to_string(head.body_bytes)); break;
    case ResponseHead::Body::chunked: add_line(out, "transfer-encoding", "chunked"); break;
  }
  switch (head.connection) {
    case ResponseHead::Connection::implied: break;
    case ResponseHead::Connection::close: add_line(out, "connection", "close"); break;
    case ResponseHead::Connection::keep_alive: add_line(out, "connection", "keep-alive"); break;
  }
  for (const auto& header : head.headers) {
    auto name = base::to_lower(header.name);
    std::ranges::transform(name, name.begin(), harmless);
    if (name == "content-length" || name == "transfer-encoding" || name == "connection") continue;
    add_line(out, name, header.value);
  }
  return out += "\r\n";
}

bool bodiless(int status) { return status < 200 || status == 204 || status == 304; }

bool says_close(std::span<const HttpHeader> headers) {
  return std::ranges::any_of(headers, [](const HttpHeader& header) {
    return base::to_lower(header.name) == "connection" && base::to_lower(header.value) == "close";
  });
}

}  // namespace net
