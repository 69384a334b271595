#include "llm/event_json.h"

#include <boost/json/parse_options.hpp>

#include "base/text.h"

namespace llm {

namespace {

boost::json::parse_options options() {
  boost::json::parse_options out;
  out.max_depth = 128;
  return out;
}

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

EventJson::EventJson()
    : arena_(std::make_unique<unsigned char[]>(kArenaBytes)),
      scratch_(std::make_unique<unsigned char[]>(kScratchBytes)),
      resource_(arena_.get(), kArenaBytes),
      parser_(boost::json::storage_ptr(), options(), scratch_.get(), kScratchBytes) {}

const boost::json::value* EventJson::parse(std::string_view text) {
  if (parse_strictly(text)) return &*value_;
  // Rare: repair what can be repaired and try once more.
  const auto repaired = repair_surrogates(base::utf8_lossy(text));
  return parse_strictly(repaired) ? &*value_ : nullptr;
}

bool EventJson::parse_strictly(std::string_view text) {
  value_.reset();
  parser_.reset();  // gives back what an earlier failure left in the arena
  resource_.release();
  parser_.reset(&resource_);
  boost::system::error_code ec;
  parser_.write(text.data(), text.size(), ec);
  if (ec) return false;
  value_.emplace(parser_.release());
  return true;
}

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

}  // namespace llm
