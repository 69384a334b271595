#include "run/flow_plan_fields.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace run {

namespace json = boost::json;

namespace {

constexpr double kTimeoutSecondsMax = 1e9;

// A text, or a number as one.
std::optional<std::string> scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (value.is_double() && std::abs(value.get_double()) < 9e15 && value.get_double() == std::floor(value.get_double()))
    return std::to_string(static_cast<std::int64_t>(value.get_double()));
  return std::nullopt;
}

}  // namespace

std::string quoted(std::string_view word) {
  auto out = base::utf8_lossy(base::utf8_prefix(word, kFlowIdBytesMax));
  if (word.size() > kFlowIdBytesMax) out += "…";
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return "'" + out + "'";
}

std::string_view name(OnFailure policy) {
  switch (policy) {
    case OnFailure::stop: return "stop";
    case OnFailure::skip: return "skip";
    case OnFailure::run_with_error: return "run-with-error";
  }
  return "stop";
}

const json::value* PlanFields::find(std::string_view key) const {
  const auto* value = object_.if_contains(key);
  return value && !value->is_null() ? value : nullptr;
}

void PlanFields::wrong(std::string_view key, std::string_view must) {
  if (!problem_.empty()) return;
  problem_ = where_ + (where_.empty() ? "" : ": ") + "'" + std::string(key) + "' " + std::string(must);
}

std::string PlanFields::text(std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    const auto* value = find(key);
    if (!value) continue;
    if (auto text = scalar_text(*value)) return std::move(*text);
    wrong(key, "must be text");
    return {};
  }
  return {};
}

bool PlanFields::flag(std::string_view key) {
  const auto* value = find(key);
  if (!value) return false;
  if (value->is_bool()) return value->get_bool();
  if (value->is_string()) {
    const auto word = base::to_lower(base::utf8_prefix(std::string_view(value->get_string()), 8));
    if (word == "true" || word == "yes") return true;
    if (word == "false" || word == "no" || word.empty()) return false;
  }
  wrong(key, "must be true or false");
  return false;
}

int PlanFields::count(std::string_view key, int max) {
  if (!find(key)) return 0;
  const auto number = base::int_field(object_, key);
  if (number && *number >= 0 && *number <= max) return static_cast<int>(*number);
  wrong(key, "must be a whole number from 0 to " + std::to_string(max));
  return 0;
}

std::int64_t PlanFields::milliseconds_of_seconds(std::string_view key) {
  if (!find(key)) return 0;
  const auto seconds = base::number_field(object_, key);
  if (!seconds || !(*seconds >= 0) || *seconds >= kTimeoutSecondsMax) {
    wrong(key, "must be a number of seconds, 0 for none");
    return 0;
  }
  // What is too short to be a millisecond is still a timeout.
  return *seconds > 0 ? std::max<std::int64_t>(1, std::llround(*seconds * 1000)) : 0;
}

const json::array* PlanFields::list(std::string_view key) {
  const auto* value = find(key);
  if (value && !value->is_array()) wrong(key, "must be a list");
  return value ? value->if_array() : nullptr;
}

std::vector<std::string> PlanFields::texts(std::string_view key) {
  std::vector<std::string> texts;
  const auto* value = find(key);
  if (!value) return texts;
  if (auto one = scalar_text(*value)) {
    if (!base::trim(*one).empty()) texts.push_back(std::move(*one));
    return texts;
  }
  const auto* items = list(key);
  if (!items) return texts;
  for (const auto& item : *items) {
    if (item.is_null()) continue;
    if (auto text = scalar_text(item))
      texts.push_back(std::move(*text));
    else
      wrong(key, "must be a list of texts");
  }
  return texts;
}

std::vector<std::string> PlanFields::paths(std::string_view key) {
  const auto* value = find(key);
  if (!value || !value->is_array()) return texts(key);
  std::vector<std::string> paths;
  for (const auto& item : value->get_array()) {
    const auto* inner = item.if_object();
    const auto* path = inner ? inner->if_contains("path") : &item;
    if (auto text = path ? scalar_text(*path) : std::nullopt)
      paths.push_back(std::move(*text));
    else
      wrong(key, "must be a list of paths");
  }
  return paths;
}

OnFailure PlanFields::policy(OnFailure otherwise) {
  const auto* value = find("on_failure");
  if (!value) return otherwise;
  auto word = base::to_lower(text({"on_failure"}));
  std::ranges::replace(word, '_', '-');
  for (const auto one : {OnFailure::stop, OnFailure::skip, OnFailure::run_with_error})
    if (word == name(one)) return one;
  wrong("on_failure", "must be one of: stop, skip, run-with-error");
  return otherwise;
}

FlowEdge PlanFields::edge(const json::value& item, std::string_view key, OnFailure otherwise) {
  if (const auto* object = item.if_object()) {
    PlanFields inner(*object, where_, problem_);
    FlowEdge edge{.op = inner.text({"op", "id"}), .on_failure = inner.policy(otherwise)};
    if (edge.op.empty()) wrong(key, "must be a list of op ids or of {op, on_failure}");
    return edge;
  }
  auto id = scalar_text(item);
  if (!id) wrong(key, "must be a list of op ids or of {op, on_failure}");
  return {.op = std::move(id).value_or(""), .on_failure = otherwise};
}

std::vector<FlowEdge> PlanFields::edges(std::string_view key) {
  std::vector<FlowEdge> edges;
  const auto otherwise = policy(OnFailure::stop);
  std::set<std::pair<std::string, OnFailure>> seen;
  const auto add = [&](FlowEdge edge) {
    edge.op = std::string(base::trim(edge.op));
    // The same dependency said twice is one; said in two ways it is for check_plan to refuse.
    if (seen.emplace(edge.op, edge.on_failure).second) edges.push_back(std::move(edge));
  };
  const auto* value = find(key);
  if (!value) return edges;
  if (value->is_string()) {
    // No id holds a comma.
    for (const auto part : base::split(std::string_view(value->get_string()), ','))
      if (!base::trim(part).empty()) add({.op = std::string(part), .on_failure = otherwise});
  } else if (!value->is_array()) {
    add(edge(*value, key, otherwise));
  } else {
    for (const auto& item : value->get_array())
      if (!item.is_null()) add(edge(item, key, otherwise));
  }
  return edges;
}

}  // namespace run
