#pragma once
// What a definition file may look like, as tables: known keys, types, ranges and choices. One walk reports everything that does
// not fit, with a path, a position and a suggestion.
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "app/problems.h"
#include "app/yaml.h"

namespace app {

enum Type : unsigned { kText = 1, kBool = 2, kInteger = 4, kNumber = 8, kList = 16, kMap = 32, kAny = 63 };

struct Field;

// A null value fits every shape: it means that the key is not given.
struct Shape {
  unsigned types = kAny;
  const Field* fields = nullptr;  // of a map; null: any key
  std::size_t field_count = 0;
  const Shape* each = nullptr;                // of a list: its items
  const Shape* values = nullptr;              // of a map without fields: its values
  const std::string_view* choices = nullptr;  // of a text
  std::size_t choice_count = 0;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool above_min = false;          // the least value itself is out
  const Shape* same_as = nullptr;  // for shapes that hold themselves
};

enum class Presence { optional, required };

struct Field {
  std::string_view name;
  Shape shape = {};
  Presence presence = Presence::optional;
};

inline constexpr Shape any() { return {}; }
inline constexpr Shape text() { return {.types = kText}; }
inline constexpr Shape boolean() { return {.types = kBool}; }
inline constexpr Shape integer(double min = -std::numeric_limits<double>::infinity(),
                               double max = std::numeric_limits<double>::infinity()) {
  return {.types = kInteger, .min = min, .max = max};
}
inline constexpr Shape number(double min, double max = std::numeric_limits<double>::infinity()) {
  return {.types = kNumber, .min = min, .max = max};
}
inline constexpr Shape positive() { return {.types = kNumber, .min = 0, .above_min = true}; }
inline constexpr Shape list(const Shape* each = nullptr) { return {.types = kList, .each = each}; }
inline constexpr Shape open_map(const Shape* values = nullptr) { return {.types = kMap, .values = values}; }
inline constexpr Shape same_as(const Shape* shape) { return {.same_as = shape}; }
template <std::size_t N>
constexpr Shape one_of(const std::string_view (&choices)[N]) {
  return {.types = kText, .choices = choices, .choice_count = N};
}
template <std::size_t N>
constexpr Shape map_of(const Field (&fields)[N]) {
  return {.types = kMap, .fields = fields, .field_count = N};
}
// The same shape, or one of these types as well.
inline constexpr Shape or_also(Shape shape, unsigned types) {
  shape.types |= types;
  return shape;
}

inline constexpr Shape kTextItem = text();
inline constexpr Shape texts() { return list(&kTextItem); }

// Recursion is bounded by kYamlDepthMax. A scalar whose template has no value fits any scalar type.
void check_shape(const Node& node, const Shape& shape, const std::string& path, Problems& problems);

}  // namespace app
