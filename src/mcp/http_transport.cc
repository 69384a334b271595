#include "mcp/http_transport.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/limits.h"
#include "base/text.h"

namespace mcp {

namespace limits = base::limits;

namespace {

constexpr std::int64_t kRetryMs = 1'000;  // before a stream is opened again, where the server says nothing
constexpr std::int64_t kRetryMsMax = 30'000;
constexpr std::size_t kSessionIdBytesMax = 1 << 10;
constexpr std::string_view kEvents = "text/event-stream";

bool has_type(const net::HttpHead& head, std::string_view type) {
  const auto given = base::split(head.header("content-type").value_or(""), ';').front();
  return base::to_lower(base::trim(given)) == type;
}

bool usable_session(std::string_view id) {
  return !id.empty() && id.size() <= kSessionIdBytesMax && std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::unexpected<base::Error> too_long() {
  return base::fail(base::Errc::invalid_argument,
                    "the server answered with more than " + std::to_string(limits::kMcpMessageBytesMax) + " bytes");
}

std::int64_t pause_of(std::optional<std::int64_t> asked_ms) {
  return std::clamp<std::int64_t>(asked_ms.value_or(kRetryMs), 0, kRetryMsMax);
}

// An event without data only tells its number.
void pass_on(const net::SseEvent& event, Listener& listener) {
  if (!event.data.empty() && (event.name.empty() || event.name == "message")) listener.received(event.data);
}

}  // namespace

HttpTransport::HttpTransport(boost::asio::io_context& io, net::HttpClient& http, aio::Time& time, HttpAddress address)
    : http_(http), time_(time), address_(std::move(address)), agreed_(io), never_(io) {}

void HttpTransport::agreed(std::string_view version) {
  version_ = version;
  agreed_.notify_all();
}

net::HttpCall HttpTransport::call(std::string method, std::string body) const {
  net::HttpCall call{.method = std::move(method),
                     .url = address_.url,
                     .headers = address_.headers,
                     .body = std::move(body),
                     .connect_ms = limits::kMcpConnectMs};
  if (!call.body.empty()) call.headers.push_back({"Content-Type", "application/json"});
  call.headers.push_back({"Accept", "application/json, text/event-stream"});
  if (!version_.empty()) call.headers.push_back({"MCP-Protocol-Version", version_});
  if (!session_.empty()) call.headers.push_back({"Mcp-Session-Id", session_});
  return call;
}

net::HttpCall HttpTransport::get(const std::string& last_id) const {
  auto made = call("GET", "");
  std::erase_if(made.headers, [](const net::HttpHeader& header) { return header.name == "Accept"; });
  made.headers.push_back({"Accept", std::string(kEvents)});
  if (!last_id.empty()) made.headers.push_back({"Last-Event-ID", last_id});
  return made;
}

base::Result<> HttpTransport::judge(const net::HttpHead& head) {
  const auto status = std::to_string(head.status);
  if (head.status >= 200 && head.status < 300) return {};
  // 404 is a session that is over; some servers say 400 to one that they do not know.
  if (!session_.empty() && (head.status == 404 || head.status == 400))
    return base::fail(base::Errc::lease_lost, "the server has ended its session (" + status + ")");
  if (head.status == 401 || head.status == 403)
    return base::fail(base::Errc::unavailable, "the server refused the credentials (" + status + ")");
  if (head.status < 500) return base::fail(base::Errc::unavailable, "the server answered with status " + status);
  return base::fail(base::Errc::network, "the server answered with status " + status);
}

aio::Task<base::Result<>> HttpTransport::send(std::string message, Listener& listener) {
  const auto exchange = http_.start(call("POST", std::move(message)));
  const auto head = co_await exchange->head();
  if (!head && head.error().code == base::Errc::timed_out)
    co_return base::fail(base::Errc::unavailable, "it cannot be reached: " + head.error().message);
  if (!head) co_return std::unexpected(head.error());
  if (auto judged = judge(*head); !judged) co_return judged;
  if (const auto id = head->header("mcp-session-id"); session_.empty() && id && usable_session(*id)) session_ = *id;
  co_return co_await hear_answer(*exchange, *head, listener);
}

aio::Task<base::Result<>> HttpTransport::hear_answer(net::HttpExchange& exchange, const net::HttpHead& head, Listener& listener) {
  if (head.status == 202 || head.status == 204) co_return base::Result<>{};
  if (!has_type(head, kEvents)) co_return co_await hear_body(exchange, listener);
  net::SseParser parser(limits::kMcpMessageBytesMax);
  auto heard = co_await hear_events(exchange, parser, listener);
  if (parser.last_id().empty()) co_return heard;
  // Who has the answer by now stops waiting for this.
  co_return co_await hear_on(parser.last_id(), pause_of(parser.retry_ms()), listener);
}

aio::Task<base::Result<>> HttpTransport::hear_body(net::HttpExchange& exchange, Listener& listener) {
  std::string body;
  for (;;) {
    const auto bytes = co_await exchange.read();
    if (!bytes) co_return std::unexpected(bytes.error());
    if (bytes->empty()) break;
    if (body.size() + bytes->size() > limits::kMcpMessageBytesMax) co_return too_long();
    body += *bytes;
  }
  if (!base::trim(body).empty()) listener.received(body);
  co_return base::Result<>{};
}

aio::Task<base::Result<>> HttpTransport::hear_events(net::HttpExchange& exchange, net::SseParser& parser, Listener& listener) {
  for (;;) {
    const auto bytes = co_await exchange.read();
    if (!bytes) co_return std::unexpected(bytes.error());
    if (bytes->empty()) break;
    parser.feed(*bytes);
    while (const auto event = parser.next()) pass_on(*event, listener);
    if (parser.overflowed()) co_return too_long();
  }
  if (const auto event = parser.last()) pass_on(*event, listener);
  co_return base::Result<>{};
}

aio::Task<base::Result<>> HttpTransport::hear_on(std::string last_id, std::int64_t retry_ms, Listener& listener) {
  for (;;) {
    co_await time_.sleep(std::chrono::milliseconds(retry_ms));
    const auto exchange = http_.start(get(last_id));
    const auto head = co_await exchange->head();
    if (!head) co_return std::unexpected(head.error());
    if (auto judged = judge(*head); !judged || !has_type(*head, kEvents))
      co_return base::fail(base::Errc::network, "its stream broke and cannot be read on");
    net::SseParser parser(limits::kMcpMessageBytesMax);
    const auto heard = co_await hear_events(*exchange, parser, listener);
    if (!heard && heard.error().code == base::Errc::invalid_argument) co_return heard;
    if (!parser.last_id().empty()) last_id = parser.last_id();
    retry_ms = std::max(pause_of(parser.retry_ms()), limits::kMcpPollMsMin);
  }
}

aio::Task<std::string> HttpTransport::listen(Listener& listener) {
  while (version_.empty()) co_await agreed_.wait();
  std::string last_id;
  for (auto pause_ms = kRetryMs;; pause_ms = std::min(2 * pause_ms, kRetryMsMax)) {
    const auto exchange = http_.start(get(last_id));
    const auto head = co_await exchange->head();
    if (head && head->status == 404 && !session_.empty()) co_return "the server has ended its session (404)";
    if (head && (head->status != 200 || !has_type(*head, kEvents))) break;
    if (head) {
      net::SseParser parser(limits::kMcpMessageBytesMax);
      co_await hear_events(*exchange, parser, listener);
      if (!parser.last_id().empty()) last_id = parser.last_id();
      pause_ms = std::max(kRetryMs, pause_of(parser.retry_ms()));
    }
    co_await time_.sleep(std::chrono::milliseconds(pause_ms));
  }
  co_await never_.wait();
  co_return "";
}

aio::Task<> HttpTransport::close() {
  using namespace boost::asio::experimental::awaitable_operators;
  if (session_.empty()) co_return;
  const auto exchange = http_.start(call("DELETE", ""));
  auto either = exchange->head() || time_.sleep(std::chrono::milliseconds(limits::kMcpFarewellMs));
  co_await std::move(either);
}

}  // namespace mcp
