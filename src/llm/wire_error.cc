#include "llm/wire_error.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/json.h"
#include "base/text.h"

namespace llm {

namespace {

constexpr std::int64_t kRetryAfterMsMax = 24 * 3'600'000;
constexpr std::size_t kSecretBytesMin = 4;

// What a provider says of a failure, from whichever of the shapes in use: {"error":{"message","type","code"}}, the same in an
// array, {"error":"text"}, {"message"}, {"detail"}, {"object":"error",...}.
struct Fault {
  std::string message;
  std::string type;  // type or status word
  std::string code;
  std::optional<std::int64_t> status;  // a numeric code
};

Fault read_fault(const base::json::value& value, int depth = 0) {
  Fault fault;
  if (value.is_string()) fault.message = value.get_string();
  if (const auto* array = value.if_array(); array && !array->empty() && depth < 3) return read_fault(array->front(), depth + 1);
  const auto* object = value.if_object();
  if (!object) return fault;
  if (const auto* inner = object->if_contains("error"); inner && !inner->is_null() && depth < 3) {
    auto read = read_fault(*inner, depth + 1);
    if (!read.message.empty() || !read.type.empty()) return read;
  }
  fault.message = base::text_or_empty(*object, "message");
  for (const auto* key : {"detail", "msg", "title"})
    if (const auto* other = object->if_contains(key); other && fault.message.empty())
      fault.message = other->is_string() ? std::string(other->get_string()) : base::to_text(*other);
  fault.type = base::text_or_empty(*object, "type");
  if (fault.type.empty()) fault.type = base::text_or_empty(*object, "status");
  fault.code = base::text_or_empty(*object, "code");
  fault.status = base::int_field(*object, "code");
  if (!fault.status) fault.status = base::parse_int(fault.code);
  return fault;
}

Fault read_body(std::string_view body) {
  if (auto parsed = base::parse_json(base::trim(body))) return read_fault(*parsed);
  // A page of HTML says nothing to people.
  const auto text = base::trim(body);
  return {.message = text.starts_with('<') ? std::string() : std::string(text), .type = {}, .code = {}, .status = {}};
}

std::string bounded(std::string_view text) {
  const auto clean = base::utf8_lossy(base::trim(text));
  const auto cut = base::utf8_prefix(clean, kProviderMessageBytesMax);
  return cut.size() < clean.size() ? std::string(cut) + "…" : clean;
}

bool is_quota(const Fault& fault) {
  const auto says = [&](std::string_view word) { return fault.type == word || fault.code == word; };
  return says("insufficient_quota") || says("insufficient_balance") || says("billing_error") ||
         says("billing_hard_limit_reached") || fault.message.find("credit balance is too low") != std::string::npos;
}

// The status that an error without one stands for, by the words of OpenAI, Anthropic and Google.
int implied_status(const Fault& fault) {
  if (fault.status && *fault.status >= 300 && *fault.status < 600) return static_cast<int>(*fault.status);
  static constexpr std::pair<std::string_view, int> kWords[] = {
      {"invalid_request_error", 400},
      {"INVALID_ARGUMENT", 400},
      {"authentication_error", 401},
      {"invalid_api_key", 401},
      {"UNAUTHENTICATED", 401},
      {"billing_error", 402},
      {"permission_error", 403},
      {"PERMISSION_DENIED", 403},
      {"not_found_error", 404},
      {"request_too_large", 413},
      {"rate_limit_error", 429},
      {"rate_limit_exceeded", 429},
      {"RESOURCE_EXHAUSTED", 429},
      {"tokens", 429},
      {"requests", 429},
      {"overloaded_error", 529},
      {"timeout_error", 504},
      {"api_error", 500},
      {"server_error", 500},
  };
  for (const auto& [word, status] : kWords)
    if (fault.type == word || fault.code == word) return status;
  return 500;
}

struct Verdict {
  base::Errc code;
  bool retryable;
};

Verdict judge(int status, const Fault& fault) {
  using base::Errc;
  if (status == 402 || is_quota(fault)) return {Errc::provider_limited, false};
  if (status == 401 || status == 403) return {Errc::provider_auth, false};
  if (status == 407) return {Errc::network, false};
  if (status == 429) return {Errc::provider_limited, true};
  if (status == 408 || status == 409 || status == 425 || status >= 500) return {Errc::provider_failed, true};
  return {Errc::provider_request, false};
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto trimmed = base::trim(text);
  const auto [end, ec] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
  if (ec != std::errc{} || end != trimmed.data() + trimmed.size() || !(value >= 0)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> asked_delay_ms(const RefusedAnswer& answer, std::int64_t now_wall_ms) {
  const auto limited = [](double ms) { return static_cast<std::int64_t>(std::min(ms, static_cast<double>(kRetryAfterMsMax))); };
  if (answer.retry_after_ms)
    if (const auto ms = parse_number(*answer.retry_after_ms)) return limited(*ms);
  if (!answer.retry_after) return std::nullopt;
  if (const auto seconds = parse_number(*answer.retry_after)) return limited(*seconds * 1000);
  if (const auto date = parse_http_date(base::trim(*answer.retry_after)))
    return std::clamp<std::int64_t>(*date - now_wall_ms, 0, kRetryAfterMsMax);
  return std::nullopt;
}

std::string_view standard_reason(int status) {
  static constexpr std::pair<int, std::string_view> kReasons[] = {
      {400, "bad request"},       {401, "unauthorized"},      {402, "payment required"},
      {403, "forbidden"},         {404, "not found"},         {407, "the proxy wants credentials"},
      {408, "request timeout"},   {413, "request too large"}, {422, "unprocessable request"},
      {429, "too many requests"}, {500, "internal error"},    {502, "bad gateway"},
      {503, "unavailable"},       {504, "gateway timeout"},   {529, "overloaded"},
  };
  for (const auto& [code, reason] : kReasons)
    if (code == status) return reason;
  return {};
}

}  // namespace

ModelError http_error(std::string_view provider, const RefusedAnswer& answer, std::int64_t now_wall_ms) {
  const auto fault = read_body(answer.body);
  auto [code, retryable] = judge(answer.status, fault);
  auto text = std::string(provider) + " answered " + std::to_string(answer.status);
  if (answer.status < 400) {
    text += ": redirects are not followed";
    if (answer.location) text += "; set the base URL to where it leads: " + bounded(*answer.location);
    return {.code = code, .message = std::move(text), .retryable = false, .retry_after_ms = {}};
  }
  const auto said = fault.message.empty() ? std::string(standard_reason(answer.status)) : bounded(fault.message);
  if (!said.empty()) text += ": " + said;
  if (answer.should_retry == "false") retryable = false;
  return {.code = code,
          .message = std::move(text),
          .retryable = retryable,
          .retry_after_ms = retryable ? asked_delay_ms(answer, now_wall_ms) : std::nullopt};
}

ModelError stream_error(std::string_view provider, const boost::json::value& error) {
  const auto fault = read_fault(error);
  const auto [code, retryable] = judge(implied_status(fault), fault);
  auto said = bounded(fault.message);
  const auto kind = bounded(fault.type.empty() ? fault.code : fault.type);
  if (!kind.empty()) said += said.empty() ? kind : " (" + kind + ")";
  if (said.empty()) said = "no reason given";
  return {.code = code,
          .message = std::string(provider) + " failed while it answered: " + said,
          .retryable = retryable,
          .retry_after_ms = {}};
}

ModelError deadline_error(std::string_view provider, Deadline deadline, std::int64_t ms) {
  const auto limit = ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
  ModelError error{.code = base::Errc::timed_out, .message = std::string(provider), .retryable = true, .retry_after_ms = {}};
  switch (deadline) {
    case Deadline::first_token: error.message += " sent nothing within " + limit; break;
    case Deadline::idle: error.message += " fell silent for " + limit + " in the middle of its answer"; break;
    case Deadline::whole:
      error.message += " did not finish within the timeout of " + limit;
      error.retryable = false;
      break;
  }
  return error;
}

ModelError cut_error(std::string_view provider, std::string_view what) {
  return {.code = base::Errc::provider_failed,
          .message = std::string(provider) + "'s answer " + std::string(what),
          .retryable = true,
          .retry_after_ms = {}};
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::string copy(text);
  struct tm parts = {};
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end) return std::nullopt;
  return static_cast<std::int64_t>(timegm(&parts)) * 1000;
}

std::string redact(std::string_view text, std::string_view secret) {
  std::string out(text);
  if (secret.size() < kSecretBytesMin) return out;
  static constexpr std::string_view kShown = "[key]";
  for (auto at = out.find(secret); at != out.npos; at = out.find(secret, at + kShown.size()))
    out.replace(at, secret.size(), kShown);
  return out;
}

}  // namespace llm
