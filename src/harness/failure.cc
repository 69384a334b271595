#include "harness/failure.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>

#include "base/text.h"
#include "harness/json_line.h"

namespace harness {

namespace {

using run::TurnOutcome;

constexpr std::string_view kLimited[] = {"usage limit", "limit reached", "hit your limit", "rate limit", "rate_limit",
                                         "quota",       "too many requests", "resource_exhausted", "resource exhausted"};
constexpr std::string_view kDenied[] = {"unauthorized",    "invalid api key",  "api key not valid",     "api_key_invalid", "please run /login",
                                        "not logged in",   "login required",   "authentication_failed", "billing_error",   "authentication_error",
                                        "credit balance is too low"};
constexpr std::string_view kPassing[] = {"overloaded",       "server_error", "connection refused", "econnrefused", "connection error",
                                         "connection reset", "econnreset",   "etimedout",          "timed out",    "fetch failed",
                                         "stream disconnected", "internal server error", "service unavailable", "bad gateway"};
// What stands before the status in a message: "unexpected status 429", "API Error: 500", "rejected (429)", "code":503.
constexpr std::string_view kBeforeStatus[] = {"status", "code", "error", "rejected", "http"};
constexpr std::string_view kBeforeDelay[] = {"try again in", "retry in", "retry after", "retry-after", "retry_after", "resets in"};

bool has_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [text](std::string_view word) { return text.contains(word); });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

// The status that stands right after `word`, with a few signs at most between.
std::optional<std::int64_t> status_after(std::string_view text, std::string_view word) {
  constexpr std::size_t kSignsMax = 4, kDigits = 3;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    auto rest = text.substr(at + word.size());
    const auto signs = std::ranges::find_if(rest, [](char c) { return is_digit(c) || is_letter(c); }) - rest.begin();
    if (static_cast<std::size_t>(signs) > kSignsMax) continue;
    rest.remove_prefix(static_cast<std::size_t>(signs));
    const auto digits = std::ranges::find_if_not(rest, is_digit) - rest.begin();
    if (digits != kDigits) continue;
    const auto status = base::parse_int(rest.substr(0, kDigits));
    if (status && *status >= 400 && *status < 600) return status;
  }
  return std::nullopt;
}

std::optional<std::int64_t> status_in(std::string_view text) {
  for (const auto word : kBeforeStatus)
    if (const auto status = status_after(text, word)) return status;
  return std::nullopt;
}

std::int64_t unit_ms(std::string_view word) {
  if (word == "ms" || word.starts_with("milli")) return 1;
  if (word.starts_with('m')) return 60'000;
  if (word.starts_with('h')) return 3'600'000;
  if (word.starts_with('d')) return 86'400'000;
  return 1'000;
}

// "3 days 4 hours", "1h2m", "11.05s", "30" (seconds); 0: no duration.
std::int64_t duration_ms(std::string_view text) {
  constexpr double kMsMax = 400.0 * 86'400'000;
  double total = 0;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" ,:=\""), text.size()));
    if (text.starts_with("and ")) text.remove_prefix(4);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0)) break;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto letters = std::ranges::find_if_not(text, is_letter) - text.begin();
    total = std::min(total + number * static_cast<double>(unit_ms(text.substr(0, static_cast<std::size_t>(letters)))), kMsMax);
    text.remove_prefix(static_cast<std::size_t>(letters));
  }
  return static_cast<std::int64_t>(total);
}

std::int64_t delay_in(std::string_view text) {
  for (const auto words : kBeforeDelay)
    if (const auto at = text.find(words); at != text.npos)
      if (const auto ms = duration_ms(text.substr(at + words.size()))) return ms;
  return 0;
}

// "...limit reached|1795226619": seconds, or milliseconds where it is that large.
std::int64_t moment_in(std::string_view text) {
  constexpr std::string_view kMark = "limit reached|";
  constexpr std::int64_t kSecondsMax = 100'000'000'000;
  const auto at = text.find(kMark);
  if (at == text.npos) return 0;
  auto digits = text.substr(at + kMark.size());
  digits = digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
  const auto moment = base::parse_int(digits).value_or(0);
  return moment < kSecondsMax ? moment * 1'000 : moment;
}

TurnOutcome outcome_of(std::optional<std::int64_t> status, std::string_view text) {
  if (status == 401 || status == 403) return TurnOutcome::denied;
  if (status == 429) return TurnOutcome::limited;
  if (status == 408 || (status >= 500 && status < 600)) return TurnOutcome::again;
  if (has_one_of(text, kDenied)) return TurnOutcome::denied;
  if (has_one_of(text, kLimited)) return TurnOutcome::limited;
  return !status && has_one_of(text, kPassing) ? TurnOutcome::again : TurnOutcome::failed;
}

}  // namespace

Failure failure_of(std::optional<std::int64_t> status, std::string_view text) {
  const auto words = base::to_lower(base::utf8_prefix(text, kErrorBytesMax));
  if (!status) status = status_in(words);
  Failure failure{.outcome = outcome_of(status, words)};
  if (failure.outcome != TurnOutcome::limited) return failure;
  failure.until_ms = moment_in(words);
  if (!failure.until_ms) failure.for_ms = delay_in(words);
  return failure;
}

}  // namespace harness
