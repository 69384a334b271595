#include "llm/http_provider.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <limits>
#include <utility>

#include "llm/wire_error.h"

namespace llm {

namespace {

using std::chrono::milliseconds;

// How long the end of the body is awaited after the end marker: an exchange read to its end leaves its connection to the
// next call. It mostly lies in the same packet.
constexpr std::int64_t kDrainMs = 100;

}  // namespace

// Lives in the frame of call(); both halves refer to it.
struct HttpProvider::Call {
  const ModelRequest& request;
  DeltaSink& sink;
  std::int64_t started_ms;
  std::int64_t active_ms;  // when the provider was last heard, or we last made it wait
  bool heard = false;      // bytes of the answer have come
  bool at_sink = false;    // we make the provider wait: its silence is not its fault
  std::optional<Deadline> expired = {};
  std::optional<Outcome> outcome = {};
  std::exception_ptr failure = {};
};

HttpProvider::HttpProvider(net::HttpClient& http, aio::Time& time, std::unique_ptr<WireFormat> format,
                           HttpProviderOptions options)
    : http_(http), time_(time), format_(std::move(format)), options_(std::move(options)) {}

aio::Task<HttpProvider::Outcome> HttpProvider::call(const ModelRequest& request, DeltaSink& sink) {
  using namespace aio::asio::experimental::awaitable_operators;
  const auto now_ms = time_.steady_ms();
  Call call{.request = request, .sink = sink, .started_ms = now_ms, .active_ms = now_ms};
  auto both = perform(call) || watch(call);
  co_await std::move(both);
  if (call.outcome) {
    if (!*call.outcome) co_return std::unexpected(without_secret(std::move(call.outcome->error())));
    co_return std::move(*call.outcome);
  }
  const auto state = co_await aio::asio::this_coro::cancellation_state;
  if (state.cancelled() != aio::asio::cancellation_type::none)
    throw boost::system::system_error(aio::asio::error::operation_aborted);
  if (call.expired) co_return std::unexpected(deadline_error(options_.name, *call.expired, limit_ms(*call.expired)));
  std::rethrow_exception(call.failure);
}

std::int64_t HttpProvider::limit_ms(Deadline deadline) const {
  switch (deadline) {
    case Deadline::first_token: return options_.first_token_ms;
    case Deadline::idle: return options_.idle_ms;
    case Deadline::whole: return options_.timeout_ms.value_or(0);
  }
  return 0;
}

aio::Task<> HttpProvider::perform(Call& call) {
  try {
    auto outcome = co_await exchange(call);
    call.outcome = std::move(outcome);
  } catch (...) {
    call.failure = std::current_exception();
  }
}

aio::Task<> HttpProvider::watch(Call& call) {
  constexpr auto kNever = std::numeric_limits<std::int64_t>::max();
  try {
    for (;;) {
      const auto now_ms = time_.steady_ms();
      if (call.at_sink) call.active_ms = now_ms;
      const auto silence_ms = call.heard ? call.active_ms + options_.idle_ms : call.started_ms + options_.first_token_ms;
      const auto whole_ms = options_.timeout_ms ? call.started_ms + *options_.timeout_ms : kNever;
      const auto next_ms = std::min(silence_ms, whole_ms);
      if (next_ms <= now_ms) {
        call.expired = whole_ms <= now_ms ? Deadline::whole : call.heard ? Deadline::idle : Deadline::first_token;
        co_return;
      }
      // A first byte meanwhile begins the shorter deadline of silence, so this one must not sleep past it.
      co_await time_.sleep(milliseconds(std::min(next_ms - now_ms, options_.idle_ms)));
    }
  } catch (...) {
    // Ordinarily because the other half has ended first.
    if (!call.outcome && !call.failure) call.failure = std::current_exception();
  }
}

aio::Task<HttpProvider::Outcome> HttpProvider::exchange(Call& call) {
  const auto exchange = http_.start(http_call(call.request));
  auto head = co_await exchange->head();
  if (!head) co_return std::unexpected(transport_error(head.error()));
  if (head->status < 200 || head->status >= 300) {
    auto error = co_await refused(*exchange, std::move(*head));
    co_return std::unexpected(std::move(error));
  }
  co_return co_await receive(call, *exchange);
}

aio::Task<HttpProvider::Outcome> HttpProvider::receive(Call& call, net::HttpExchange& exchange) {
  using namespace aio::asio::experimental::awaitable_operators;
  const auto decoder = format_->decoder(call.request);
  auto progress = Progress::open;
  for (;;) {
    base::Result<std::string_view> bytes;
    if (progress == Progress::open) {
      bytes = co_await exchange.read();
    } else {
      const auto limit_ms = progress == Progress::finished ? kDrainMs : options_.tail_ms;
      auto either = exchange.read() || time_.sleep(milliseconds(limit_ms));
      auto first = co_await std::move(either);
      if (auto* read = std::get_if<0>(&first)) bytes = std::move(*read);
    }
    if (!bytes && progress == Progress::open) {
      auto result = decoder->finish(call.sink);
      if (!result) result.error().message += ": " + bytes.error().message;
      co_return result;
    }
    if (!bytes || bytes->empty()) co_return decoder->finish(call.sink);
    call.heard = true;
    auto fed = decoder->feed(*bytes, call.sink);
    if (!fed) co_return std::unexpected(std::move(fed.error()));
    progress = *fed;
    call.at_sink = true;
    co_await call.sink.ready();
    call.at_sink = false;
    call.active_ms = time_.steady_ms();
  }
}

aio::Task<ModelError> HttpProvider::refused(net::HttpExchange& exchange, net::HttpHead head) {
  std::string body;
  while (body.size() < base::limits::kErrorBodyBytesMax) {
    const auto bytes = co_await exchange.read();
    if (!bytes || bytes->empty()) break;  // what has come of the reason is all there is
    body += *bytes;
  }
  body.resize(std::min(body.size(), base::limits::kErrorBodyBytesMax));
  // Before the message is cut to its bound, lest half a key is left.
  body = redact(body, options_.api_key);
  const RefusedAnswer answer{.status = head.status,
                             .body = body,
                             .retry_after = head.header("retry-after"),
                             .retry_after_ms = head.header("retry-after-ms"),
                             .should_retry = head.header("x-should-retry"),
                             .location = head.header("location")};
  co_return http_error(options_.name, answer, time_.wall_ms());
}

net::HttpCall HttpProvider::http_call(const ModelRequest& request) const {
  auto wire = format_->write(request, options_.api_key);
  net::HttpCall call{
      .url = options_.base_url + wire.path, .headers = {}, .body = std::move(wire.body), .connect_ms = options_.connect_ms};
  call.headers.push_back({"Content-Type", "application/json"});
  call.headers.push_back({"Accept", "text/event-stream, application/json"});
  for (auto& [name, value] : wire.headers) call.headers.push_back({std::move(name), std::move(value)});
  return call;
}

ModelError HttpProvider::transport_error(const base::Error& error) const {
  const bool passing = error.code == base::Errc::network || error.code == base::Errc::timed_out;
  return {.code = error.code,
          .message = options_.name + " cannot be reached: " + error.message,
          .retryable = passing,
          .retry_after_ms = {}};
}

ModelError HttpProvider::without_secret(ModelError error) const {
  error.message = redact(error.message, options_.api_key);
  return error;
}

}  // namespace llm
