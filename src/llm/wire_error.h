#pragma once
// What went wrong with a call, in one vocabulary for all providers: which failures may be tried again, after how long, and
// a sentence for people that names the provider and the cause. Pure.
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "llm/provider.h"

namespace llm {

inline constexpr std::size_t kProviderMessageBytesMax = 1000;

// An answer that is no success. The views are read during the call only.
struct RefusedAnswer {
  int status = 0;
  std::string_view body;                           // its beginning
  std::optional<std::string_view> retry_after;     // header retry-after: seconds or an HTTP date
  std::optional<std::string_view> retry_after_ms;  // header retry-after-ms
  std::optional<std::string_view> should_retry;    // header x-should-retry: "false" where the provider knows better
  std::optional<std::string_view> location;        // of a redirect
};

// 401, 403 provider_auth; 400, 404, 413, 422 and other 4xx provider_request; 402 and used-up quotas provider_limited: none of
// them is retryable. 429 provider_limited, 408, 409, 425, 5xx provider_failed: retryable. 3xx is not followed.
ModelError http_error(std::string_view provider, const RefusedAnswer& answer, std::int64_t now_wall_ms);

// An error object inside a stream that began well.
ModelError stream_error(std::string_view provider, const boost::json::value& error);

// Which deadline of a call passed, after `ms`. Only that of the whole call is final: it is the user's own.
enum class Deadline { first_token, idle, whole };
ModelError deadline_error(std::string_view provider, Deadline deadline, std::int64_t ms);

// "PROVIDER's answer ..."; retryable, because nothing is known to be wrong with the request.
ModelError cut_error(std::string_view provider, std::string_view what);

// The date of an HTTP header ("Sun, 06 Nov 1994 08:49:37 GMT") in ms since 1970.
std::optional<std::int64_t> parse_http_date(std::string_view text);

// The text with every occurrence of the secret replaced; secrets too short to be one are left.
std::string redact(std::string_view text, std::string_view secret);

}  // namespace llm
