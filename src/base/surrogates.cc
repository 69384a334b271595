#include "base/surrogates.h"

#include <optional>

namespace base {

namespace {

// The code unit that the escape at `at` ("\uXXXX") stands for.
std::optional<unsigned> escaped_unit(std::string_view json, std::size_t at) {
  if (at + 6 > json.size() || json[at] != '\\' || json[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (const char c : json.substr(at + 2, 4)) {
    const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
    if (digit == std::string_view::npos) return std::nullopt;
    unit = unit * 16 + static_cast<unsigned>(digit);
  }
  return unit;
}

bool is_high(std::optional<unsigned> unit) { return unit && *unit >= 0xD800 && *unit < 0xDC00; }
bool is_low(std::optional<unsigned> unit) { return unit && *unit >= 0xDC00 && *unit < 0xE000; }

}  // namespace

std::string repair_surrogates(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    const auto escape = json.find('\\', at);
    out += json.substr(at, escape - at);
    if (escape == json.npos) break;
    const auto unit = escaped_unit(json, escape);
    std::size_t length = unit ? 6 : 2;
    if (is_high(unit) && is_low(escaped_unit(json, escape + 6))) length = 12;
    if (length == 6 && (is_high(unit) || is_low(unit)))
      out += "\\ufffd";
    else
      out += json.substr(escape, length);
    at = escape + length;
  }
  return out;
}

}  // namespace base
