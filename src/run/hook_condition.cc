#include "run/hook_condition.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/json.h"
#include "base/text.h"
#include "run/expression.h"
#include "run/hook_template.h"

namespace run {

namespace json = boost::json;

namespace {

// A text or a list of texts.
std::vector<std::string> texts_of(const json::value* value) {
  std::vector<std::string> texts;
  if (!value) return texts;
  if (value->is_string()) texts.emplace_back(value->get_string());
  if (const auto* list = value->if_array())
    for (const auto& item : *list)
      if (item.is_string()) texts.emplace_back(item.get_string());
  return texts;
}

// "a|b", each a glob; any case.
bool matches(const std::string& patterns, const std::string& name) {
  return std::ranges::any_of(base::split(patterns, '|'), [&name](std::string_view pattern) {
    return fnmatch(std::string(base::trim(pattern)).c_str(), name.c_str(), FNM_CASEFOLD) == 0;
  });
}

bool any_matches(const json::object& condition, const std::vector<std::string>& names) {
  const auto patterns = texts_of(condition.if_contains("match"));
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return std::ranges::any_of(names, [&](const std::string& name) { return matches(pattern, name); });
  });
}

double number_at(const json::value& facts, std::string_view name) {
  const auto* value = find_path(facts, name);
  return value && value->is_number() ? value->to_number<double>() : 0;
}

bool reached(const json::object& condition, const json::value& facts, std::string_view name, double otherwise) {
  return number_at(facts, name) >= base::number_field(condition, "threshold").value_or(otherwise);
}

bool turn_count(const json::object& condition, const json::value& facts) {
  const auto turns = number_at(facts, "turns");
  const auto every = base::number_field(condition, "every").value_or(0);
  if (turns < base::number_field(condition, "threshold").value_or(every > 0 ? every : 1)) return false;
  return every <= 0 || std::fmod(turns, every) == 0;
}

bool content_contains(const json::object& condition, const json::value& facts) {
  const auto content = base::to_lower(text_of(find_path(facts, "content")));
  auto words = texts_of(condition.if_contains("keyword"));
  for (auto& word : texts_of(condition.if_contains("keywords"))) words.push_back(std::move(word));
  return std::ranges::any_of(words, [&content](const std::string& word) { return content.contains(base::to_lower(word)); });
}

bool holds_at(const json::object& condition, const json::value& facts, int depth) {
  if (depth > kConditionDepthMax) return false;
  const auto one = [&](const json::value& inner) {
    if (inner.is_string()) return holds_at({{"type", inner}}, facts, depth + 1);
    return inner.is_object() && holds_at(inner.get_object(), facts, depth + 1);
  };
  const auto* list = base::array_field(condition, "conditions");
  const auto type = base::text_or_empty(condition, "type");
  if (type == "always") return true;
  if (type == "context_pressure") return reached(condition, facts, "pressure", 0.75);
  if (type == "turn_count") return turn_count(condition, facts);
  if (type == "tool_calls") return reached(condition, facts, "tools", 20);
  if (type == "message_count") return reached(condition, facts, "messages", 50);
  if (type == "tool_name") return any_matches(condition, texts_of(find_path(facts, "tool.names")));
  if (type == "tool_failed") return text_of(find_path(facts, "tool.failed")) == "true";
  if (type == "content_contains") return content_contains(condition, facts);
  if (type == "error_type") return any_matches(condition, {text_of(find_path(facts, "error.type"))});
  if (type == "expression") return evaluate(base::text_or_empty(condition, "expr"), facts).value_or(false);
  if (type == "all_of") return list && std::ranges::all_of(*list, one);
  if (type == "any_of") return list && std::ranges::any_of(*list, one);
  if (type != "not") return false;
  const auto* inner = condition.if_contains("condition");
  return inner && !one(*inner);
}

}  // namespace

bool holds(const json::object& condition, const json::value& facts) { return holds_at(condition, facts, 0); }

const std::vector<std::string_view>& condition_types() {
  static const std::vector<std::string_view> types = {"always",      "never",        "context_pressure", "turn_count", "tool_calls",
                                                      "message_count", "tool_name",  "tool_failed",      "content_contains", "error_type",
                                                      "expression",  "all_of",       "any_of",           "not"};
  return types;
}

}  // namespace run
