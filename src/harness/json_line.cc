#include "harness/json_line.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/limits.h"
#include "base/surrogates.h"
#include "base/text.h"

namespace harness {

std::optional<json::object> object_in(std::string_view line) {
  line = base::trim(line);
  if (line.size() > kLineBytesMax || !line.starts_with('{')) return std::nullopt;
  auto value = base::parse_json(line);
  // Programs cut text where it is long: between the bytes of a character, or between the halves of an escaped one.
  if (!value) value = base::parse_json(base::repair_surrogates(base::utf8_lossy(line)));
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(value->get_object());
}

std::string text_in(std::string_view text) { return base::utf8_lossy(text); }

std::string line_of(const json::object& value) { return base::to_text(value); }

std::optional<std::string> session_id_in(const json::object& object, std::string_view key) {
  const auto id = base::string_field(object, key);
  if (!id || id->empty() || id->size() > base::limits::kSessionIdBytesMax || id->starts_with('-')) return std::nullopt;
  if (std::ranges::any_of(*id, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; })) return std::nullopt;
  return std::string(*id);
}

std::optional<std::string> id_in(const json::object& object, std::string_view key) {
  const auto id = base::string_field(object, key);
  if (!id || id->empty()) return std::nullopt;
  return std::string(*id);
}

const json::object* below(const json::object& object, std::initializer_list<std::string_view> keys) {
  const auto* at = &object;
  for (const auto key : keys)
    if (!(at = base::object_field(*at, key))) return nullptr;
  return at;
}

std::int64_t count_in(const json::object& object, std::string_view key) { return std::max<std::int64_t>(base::int_or_zero(object, key), 0); }

std::int64_t micros_of(double dollars) {
  constexpr double kDollarsMax = 1e9;
  if (!(dollars > 0)) return 0;
  return std::llround(std::min(dollars, kDollarsMax) * 1e6);
}

run::Usage difference(const run::Usage& now, const run::Usage& before) {
  const auto less = [](std::int64_t a, std::int64_t b) { return a < b ? a : a - b; };
  return {.input_tokens = less(now.input_tokens, before.input_tokens),
          .output_tokens = less(now.output_tokens, before.output_tokens),
          .reasoning_tokens = less(now.reasoning_tokens, before.reasoning_tokens),
          .cache_read_tokens = less(now.cache_read_tokens, before.cache_read_tokens),
          .cache_write_tokens = less(now.cache_write_tokens, before.cache_write_tokens)};
}

std::string argument_of(std::string_view prompt) {
  auto text = base::utf8_lossy(prompt);
  // No argument can hold a zero byte.
  std::ranges::replace(text, '\0', ' ');
  return text.starts_with('-') ? " " + text : text;
}

}  // namespace harness
