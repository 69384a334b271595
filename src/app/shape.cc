#include "app/shape.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "base/text.h"

namespace app {

namespace {

std::string types_text(unsigned types) {
  struct Name {
    Type type;
    std::string_view text;
  };
  static constexpr Name kNames[] = {{kText, "text"},       {kBool, "true or false"}, {kInteger, "an integer"},
                                    {kNumber, "a number"}, {kList, "a list"},        {kMap, "a map"}};
  std::string out;
  for (const auto& name : kNames)
    if ((types & name.type) != 0) out += (out.empty() ? "" : " or ") + std::string(name.text);
  return out;
}

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", number);
  return text;
}

bool scalar_fits(const Node& node, unsigned types) {
  if ((types & kText) != 0 || node.unresolved) return true;
  return ((types & kBool) != 0 && as_bool(node)) || ((types & kInteger) != 0 && as_int(node)) ||
         ((types & kNumber) != 0 && as_number(node));
}

void check_scalar(const Node& node, const Shape& shape, const std::string& path, Problems& problems) {
  if (!scalar_fits(node, shape.types)) {
    problems.add(path, "must be " + types_text(shape.types), node.mark, Code::wrong_type);
    return;
  }
  if (node.unresolved) return;
  const bool numeric = (shape.types & (kInteger | kNumber)) != 0;
  if (const auto value = numeric ? as_number(node) : std::nullopt) {
    if (shape.above_min ? *value <= shape.min : *value < shape.min)
      problems.add(path, std::string("must be ") + (shape.above_min ? "greater than " : "at least ") + number_text(shape.min),
                   node.mark, Code::range);
    if (*value > shape.max) problems.add(path, "must be at most " + number_text(shape.max), node.mark, Code::range);
  }
  if (shape.choice_count == 0) return;
  const std::vector<std::string_view> choices(shape.choices, shape.choices + shape.choice_count);
  if (std::find(choices.begin(), choices.end(), node.text) != choices.end()) return;
  std::string message = "must be one of: ";
  for (std::size_t i = 0; i < choices.size(); ++i) message += (i == 0 ? "" : ", ") + std::string(choices[i]);
  problems.add(path, message + did_you_mean(node.text, choices), node.mark, Code::choice);
}

void check_map(const Node& node, const Shape& shape, const std::string& path, Problems& problems) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < shape.field_count; ++i) names.push_back(shape.fields[i].name);
  for (const auto& member : node.members) {
    const auto at = child(path, member.key);
    if (!shape.fields) {
      if (shape.values) check_shape(member.value, *shape.values, at, problems);
      continue;
    }
    const auto* field =
        std::find_if(shape.fields, shape.fields + shape.field_count, [&](const Field& f) { return f.name == member.key; });
    if (field != shape.fields + shape.field_count)
      check_shape(member.value, field->shape, at, problems);
    else
      problems.add(at, "unknown key" + (problems.full() ? "" : did_you_mean(member.key, names)), member.mark, Code::unknown);
  }
  for (std::size_t i = 0; i < shape.field_count; ++i) {
    const Field& field = shape.fields[i];
    if (field.presence == Presence::required && !node.find(field.name))
      problems.add(child(path, field.name), "is required", node.mark, Code::missing);
  }
}

}  // namespace

void check_shape(const Node& node, const Shape& given, const std::string& path, Problems& problems) {
  const Shape& shape = given.same_as ? *given.same_as : given;
  if (shape.types == kAny && !shape.fields && !shape.each && !shape.values) return;
  switch (node.kind) {
    case Node::Kind::null: return;
    case Node::Kind::scalar:
      if ((shape.types & (kText | kBool | kInteger | kNumber)) == 0)
        problems.add(path, "must be " + types_text(shape.types), node.mark, Code::wrong_type);
      else
        check_scalar(node, shape, path, problems);
      return;
    case Node::Kind::list:
      if ((shape.types & kList) == 0)
        problems.add(path, "must be " + types_text(shape.types) + ", not a list", node.mark, Code::wrong_type);
      else if (shape.each)
        for (std::size_t i = 0; i < node.items.size(); ++i) check_shape(node.items[i], *shape.each, child(path, i), problems);
      return;
    case Node::Kind::map:
      if ((shape.types & kMap) == 0)
        problems.add(path, "must be " + types_text(shape.types) + ", not a map", node.mark, Code::wrong_type);
      else
        check_map(node, shape, path, problems);
  }
}

}  // namespace app
