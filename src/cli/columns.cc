#include "cli/columns.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>

namespace cli {

namespace {

// The C library knows the widths, but in a locale of UTF-8 alone, and ours is the user's.
class Widths {
 public:
  Widths() : before_(uselocale(utf8())) {}
  ~Widths() { uselocale(before_); }
  Widths(const Widths&) = delete;
  Widths& operator=(const Widths&) = delete;

  std::size_t of(char32_t c) const {
    if (c < 0x7F || !utf8()) return 1;
    const int width = wcwidth(static_cast<wchar_t>(c));
    return width < 0 ? 1 : static_cast<std::size_t>(width);
  }

 private:
  static locale_t utf8() {
    static const locale_t made = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return made;
  }
  const locale_t before_;
};

// The character that a text begins with, and its bytes.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (bytes == 1 || bytes > text.size()) return {U'?', 1};
  char32_t code = lead & (0xFFu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0u) != 0x80u) return {U'?', 1};
    code = (code << 6) | (next & 0x3Fu);
  }
  return {code, bytes};
}

// Nearly all that is shown; a column a byte, and no locale to be asked.
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The longest beginning that fits, in bytes.
std::size_t fitting(std::string_view text, std::size_t columns) {
  if (is_ascii(text)) return std::min(text.size(), columns);
  const Widths widths;
  std::size_t used = 0, at = 0;
  while (at < text.size()) {
    const auto c = first_of(text.substr(at));
    used += widths.of(c.code);
    if (used > columns) break;
    at += c.bytes;
  }
  return at;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  if (is_ascii(text)) return text.size();
  const Widths widths;
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto c = first_of(text);
    columns += widths.of(c.code);
    text.remove_prefix(c.bytes);
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (fitting(text, columns) == text.size()) return std::string(text);
  if (columns == 0) return {};
  return std::string(text.substr(0, fitting(text, columns - 1))) + "…";
}

std::string padded(std::string_view text, std::size_t columns) {
  std::string out(text);
  if (const auto have = columns_of(text); have < columns) out.append(columns - have, ' ');
  return out;
}

}  // namespace cli
