#include "api/fields.h"

#include <algorithm>

#include "base/text.h"

namespace api {

std::optional<bool> parse_bool(std::string_view text) {
  static constexpr std::string_view kTrue[] = {"1", "yes", "on", "t", "y", "true"};
  static constexpr std::string_view kFalse[] = {"0", "no", "off", "f", "n", "false"};
  const auto lower = base::to_lower(text);
  if (std::ranges::find(kTrue, lower) != std::end(kTrue)) return true;
  if (std::ranges::find(kFalse, lower) != std::end(kFalse)) return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_lenient_int(std::string_view text) {
  text = base::trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  // "1.0" is an integer, "1.5" is none.
  if (const auto dot = text.find('.'); dot != std::string_view::npos) {
    const auto tail = text.substr(dot + 1);
    if (tail.empty() || tail.find_first_not_of('0') != std::string_view::npos) return std::nullopt;
    text = text.substr(0, dot);
  }
  if (text.empty() || text.front() == '_' || text.back() == '_') return std::nullopt;
  std::int64_t value = 0;
  char before = 0;
  for (const char c : text) {
    if (c == '_') {
      if (before == '_') return std::nullopt;
    } else if (c < '0' || c > '9') {
      return std::nullopt;
    } else if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value)) {
      value = INT64_MAX;
    }
    before = c;
  }
  return negative ? -value : value;
}

std::string FieldReader::text(std::string_view field) const { return std::string(net::value(form_, field).value_or("")); }

std::string FieldReader::required(std::string_view field) {
  const auto value = net::value(form_, field);
  if (!value) errors_.missing(where_, field);
  return std::string(value.value_or(""));
}

bool FieldReader::boolean(std::string_view field, bool otherwise) {
  const auto value = net::value(form_, field);
  if (!value) return otherwise;
  const auto parsed = parse_bool(*value);
  if (!parsed) errors_.bad_bool(where_, field, *value);
  return parsed.value_or(otherwise);
}

std::optional<std::int64_t> FieldReader::integer(std::string_view field) {
  const auto value = net::value(form_, field);
  if (!value) return std::nullopt;
  const auto parsed = parse_lenient_int(*value);
  if (!parsed) errors_.bad_int(where_, field, *value);
  return parsed;
}

std::int64_t FieldReader::at_least(std::string_view field, std::int64_t minimum, std::int64_t otherwise) {
  const auto value = integer(field);
  if (!value) return otherwise;
  if (*value < minimum) errors_.too_small(where_, field, text(field), minimum);
  return *value;
}

}  // namespace api
