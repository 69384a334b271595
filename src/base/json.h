#pragma once
// JSON at the project's edges: Boost.JSON for reading, a hand-written appender for the hot writes (the reasons and the
// figures are in ARCHITECTURE.md "JSON"). Readers ignore unknown keys; every field access says what a missing one means.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace base {

namespace json = boost::json;

// Appends `text` as a JSON string with its quotes. Invalid UTF-8 must have been replaced before.
void append_json_string(std::string& out, std::string_view text);
// The same with every non-ASCII code point as \uXXXX (AgentOS' meta events are written so).
void append_json_ascii(std::string& out, std::string_view text);

Result<json::value> parse_json(std::string_view text);  // Errc::invalid_argument, the message says where
std::string to_text(const json::value& value);

// Fields of an object, forgiving about presence, strict about type: absent, null or of another type is nothing.
std::optional<std::string_view> string_field(const json::object& object, std::string_view key);
std::optional<std::int64_t> int_field(const json::object& object, std::string_view key);
std::optional<double> number_field(const json::object& object, std::string_view key);
std::optional<bool> bool_field(const json::object& object, std::string_view key);
const json::object* object_field(const json::object& object, std::string_view key);
const json::array* array_field(const json::object& object, std::string_view key);

// The string field or "" / the integer field or 0.
std::string text_or_empty(const json::object& object, std::string_view key);
std::int64_t int_or_zero(const json::object& object, std::string_view key);

}  // namespace base
