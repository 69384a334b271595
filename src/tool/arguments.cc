#include "tool/arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace tool {

namespace {

namespace json = boost::json;

// Names that models use for a parameter because another agent's tool calls it so. Looked at only where the schema does not know
// the name itself and does not hold the meant one already.
struct OtherName {
  std::string_view given;
  std::string_view meant;
};
constexpr OtherName kOtherNames[] = {
    {"path", "file_path"},
    {"file", "file_path"},
    {"filename", "file_path"},
    {"filepath", "file_path"},
    {"file_path", "path"},
    {"directory", "path"},
    {"dir", "path"},
    {"old_str", "old_string"},
    {"old_text", "old_string"},
    {"new_str", "new_string"},
    {"new_text", "new_string"},
    {"contents", "content"},
    {"file_text", "content"},
    {"text", "content"},
    {"start_line", "offset"},
    {"query", "pattern"},
    {"regex", "pattern"},
    {"glob_pattern", "pattern"},
    {"include", "glob"},
    {"mode", "output_mode"},
    {"-i", "case_insensitive"},
    {"ignore_case", "case_insensitive"},
    {"-n", "line_numbers"},
    {"-C", "context"},
    {"context_lines", "context"},
    {"-B", "before"},
    {"-A", "after"},
    {"max_results", "head_limit"},
    {"limit", "head_limit"},
    {"max_results", "limit"},
    {"content", "subject"},
    {"title", "subject"},
    {"subject", "content"},
    {"fact", "content"},
    {"content", "goal"},
    {"task_id", "id"},
    {"state", "status"},
};

// filePath, file-path → file_path. Names that begin with '-' are flags and stay.
std::string snake_case(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      if (!out.empty() && out.back() != '_') out += '_';
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += c == '-' && !out.empty() ? '_' : c;
    }
  }
  return out;
}

// The value in the type that the property wants, where a string or number says it unmistakably.
std::optional<json::value> converted(const json::value& value, const Property& property) {
  if (const auto* text = value.if_string()) {
    const auto trimmed = base::trim(*text);
    const auto lower = base::to_lower(trimmed.substr(0, 8));
    if (property.may_be(JsonType::boolean)) {
      if (lower == "true" || lower == "yes" || lower == "1") return json::value(true);
      if (lower == "false" || lower == "no" || lower == "0") return json::value(false);
    }
    if (property.may_be(JsonType::integer))
      if (const auto number = base::parse_int(trimmed)) return json::value(*number);
    if (property.may_be(JsonType::number)) {
      double number = 0;
      const auto [end, ec] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), number);
      if (ec == std::errc{} && end == trimmed.data() + trimmed.size() && !trimmed.empty() && std::isfinite(number))
        return json::value(number);
    }
    if (property.may_be(JsonType::object) || property.may_be(JsonType::array)) {
      auto parsed = base::parse_json(trimmed);
      if (parsed && (parsed->is_object() || parsed->is_array()) && property.may_be(type_of(*parsed))) return std::move(*parsed);
    }
    return std::nullopt;
  }
  if (value.is_number() && property.may_be(JsonType::boolean)) {
    if (value == json::value(1)) return json::value(true);
    if (value == json::value(0)) return json::value(false);
  }
  if (value.is_double() && property.may_be(JsonType::integer)) {
    const double number = value.get_double();
    if (number == std::floor(number) && std::abs(number) < 9e15) return json::value(static_cast<std::int64_t>(number));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> meaning(std::string_view given, const Schema& schema) {
  const auto snake = snake_case(given);
  if (const auto* property = schema.property(snake)) return property->name;
  for (const auto& other : kOtherNames)
    if ((other.given == given || other.given == snake) && schema.property(other.meant)) return other.meant;
  return std::nullopt;
}

std::vector<std::string_view> other_names(const Schema& schema) {
  std::vector<std::string_view> names;
  for (const auto& other : kOtherNames)
    if (schema.property(other.meant) && !schema.property(other.given)) names.push_back(other.given);
  return names;
}

void adapt_arguments(json::object& arguments, const Schema& schema) {
  if (schema.closed()) {
    std::vector<std::string> unknown;
    for (const auto& member : arguments)
      if (!schema.property(member.key())) unknown.emplace_back(member.key());
    for (const auto& given : unknown) {
      const auto meant = meaning(given, schema);
      if (!meant) continue;
      const auto* present = arguments.if_contains(*meant);
      if (present && *present != arguments.at(given)) continue;  // which of the two is meant is not ours to decide
      json::value value = std::move(arguments.at(given));
      arguments.erase(given);
      arguments.insert_or_assign(*meant, std::move(value));
    }
  }
  for (const auto& property : schema.properties()) {
    auto* value = arguments.if_contains(property.name);
    if (!value || property.may_be(type_of(*value))) continue;
    if (value->is_null() && !property.required) {
      arguments.erase(property.name);
    } else if (auto better = converted(*value, property)) {
      *value = std::move(*better);
    }
  }
}

base::Result<json::object> object_of(std::string_view text) {
  if (text.size() > base::limits::kToolArgumentBytesMax)
    return base::fail(base::Errc::invalid_argument, "the arguments are too long: " + std::to_string(text.size()) +
                                                        " bytes, the limit is " +
                                                        std::to_string(base::limits::kToolArgumentBytesMax));
  json::value value = json::object();
  if (!base::trim(text).empty()) {
    auto parsed = base::parse_json(text);
    if (!parsed) return base::fail(base::Errc::invalid_argument, "the arguments are " + parsed.error().message);
    value = std::move(*parsed);
  }
  // Some models send null for "none", or the object once more as text.
  if (value.is_null()) value = json::object();
  if (const auto* quoted = value.if_string()) {
    auto parsed = base::parse_json(*quoted);
    if (parsed && parsed->is_object()) value = std::move(*parsed);
  }
  if (!value.is_object())
    return base::fail(base::Errc::invalid_argument,
                      "the arguments must be a JSON object, not " + std::string(with_article(type_of(value))));
  return std::move(value.get_object());
}

base::Result<json::object> accept_arguments(std::string_view text, const Schema& schema) {
  auto arguments = object_of(text);
  if (!arguments) return arguments;
  adapt_arguments(*arguments, schema);
  if (auto problems = schema.problems(*arguments); !problems.empty())
    return base::fail(base::Errc::invalid_argument, std::move(problems));
  return arguments;
}

}  // namespace tool
