#pragma once
// A line of a program's output as a JSON object. The lines are from outside: they may be anything, of any size. Pure.
#include <boost/json/object.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "run/message.h"

namespace harness {

namespace json = boost::json;

// A longer line says nothing; whoever reads the output keeps its bytes all the same.
inline constexpr std::size_t kLineBytesMax = 8 << 20;
// What is kept of an error's text.
inline constexpr std::size_t kErrorBytesMax = 16 << 10;

// Nothing: the line is no object. Its strings are valid UTF-8, whatever came.
std::optional<json::object> object_in(std::string_view line);
// Text that a line of ours carries: what is no UTF-8 in it is replaced.
std::string text_in(std::string_view text);
// `value` as one line of input, without newline.
std::string line_of(const json::object& value);

// The string field, if it can be the id of a session: it becomes an argument of a command line later.
std::optional<std::string> session_id_in(const json::object& object, std::string_view key);
// The string field, if it is not empty.
std::optional<std::string> id_in(const json::object& object, std::string_view key);
// The object below the keys, each in the one before; null where there is none.
const json::object* below(const json::object& object, std::initializer_list<std::string_view> keys);

// A count: never negative, 0 where there is none.
std::int64_t count_in(const json::object& object, std::string_view key);
// An amount in dollars as millionths, of a number that may be anything.
std::int64_t micros_of(double dollars);
// `now` - `before`, each count for itself; a program that begins to count anew is taken at its word.
run::Usage difference(const run::Usage& now, const run::Usage& before);

// A prompt as an argument that no program takes for an option.
std::string argument_of(std::string_view prompt);

}  // namespace harness
