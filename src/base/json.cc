#include "base/json.h"

#include <boost/json/parse.hpp>
#include <charconv>
#include <cmath>
#include <utility>

namespace base {

namespace {

constexpr char kHex[] = "0123456789abcdef";

// What a byte below 0x20, a quote or a backslash is written as; nothing for all others.
std::string_view short_escape(unsigned char c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\b': return "\\b";
    case '\f': return "\\f";
    default: return {};
  }
}

void append_unicode(std::string& out, unsigned unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> shift) & 15u];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (const auto escape = short_escape(c); !escape.empty())
      out += escape;
    else
      append_unicode(out, c);
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

void append_json_ascii(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if (const auto escape = short_escape(c); !escape.empty())
        out += escape;
      else if (c < 0x20 || c == 0x7f)
        append_unicode(out, c);
      else
        out += static_cast<char>(c);
      ++i;
      continue;
    }
    const int length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    unsigned point = c & (0xFFu >> (length + 1));
    for (int k = 1; k < length && i + static_cast<std::size_t>(k) < text.size(); ++k)
      point = (point << 6) | (static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]) & 0x3Fu);
    i += static_cast<std::size_t>(length);
    if (point >= 0x10000) {
      append_unicode(out, 0xD800 + ((point - 0x10000) >> 10));
      append_unicode(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      append_unicode(out, point);
    }
  }
  out += '"';
}

Result<json::value> parse_json(std::string_view text) {
  boost::system::error_code ec;
  json::parse_options options;
  options.max_depth = 64;
  options.allow_invalid_utf8 = false;
  auto value = json::parse(text, ec, {}, options);
  if (ec) return fail(Errc::invalid_argument, "not valid JSON: " + ec.message());
  return value;
}

namespace {

// The shortest digits that read back as the same number, with a point or an exponent in them so that it stays a float.
void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "null";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-1e99999" : "1e99999";  // what a reader of too large a number makes of it
    return;
  }
  char digits[32];
  const std::string_view text(digits,
                              static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

// As deep as the value is, which parsers bound.
void append_value(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: out += "null"; return;
    case json::kind::bool_: out += value.get_bool() ? "true" : "false"; return;
    case json::kind::int64: out += std::to_string(value.get_int64()); return;
    case json::kind::uint64: out += std::to_string(value.get_uint64()); return;
    case json::kind::double_: return append_number(out, value.get_double());
    case json::kind::string: return append_json_string(out, std::string_view(value.get_string()));
    case json::kind::array: break;
    case json::kind::object: break;
  }
  const bool is_array = value.is_array();
  bool first = true;
  out += is_array ? '[' : '{';
  if (is_array) {
    for (const auto& item : value.get_array()) {
      if (!std::exchange(first, false)) out += ',';
      append_value(out, item);
    }
  } else {
    for (const auto& member : value.get_object()) {
      if (!std::exchange(first, false)) out += ',';
      append_json_string(out, std::string_view(member.key()));
      out += ':';
      append_value(out, member.value());
    }
  }
  out += is_array ? ']' : '}';
}

}  // namespace

// Boost's own serializer writes 0.004 as 4E-3: right, but not what people want to read.
std::string to_text(const json::value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

std::optional<std::string_view> string_field(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

std::optional<std::int64_t> int_field(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64())
    return value->get_uint64() <= INT64_MAX ? std::optional(static_cast<std::int64_t>(value->get_uint64())) : std::nullopt;
  if (value->is_double() && std::abs(value->get_double()) < 9e15 && value->get_double() == std::floor(value->get_double()))
    return static_cast<std::int64_t>(value->get_double());
  return std::nullopt;
}

std::optional<double> number_field(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

std::optional<bool> bool_field(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

const json::object* object_field(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? value->if_object() : nullptr;
}

const json::array* array_field(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? value->if_array() : nullptr;
}

std::string text_or_empty(const json::object& object, std::string_view key) {
  return std::string(string_field(object, key).value_or(""));
}

std::int64_t int_or_zero(const json::object& object, std::string_view key) { return int_field(object, key).value_or(0); }

}  // namespace base
