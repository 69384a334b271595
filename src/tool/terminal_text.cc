#include "tool/terminal_text.h"

#include "base/text.h"

namespace tool {

namespace {

constexpr char kEscape = '\x1b', kBell = '\x07';

// How long the escape sequence at the front is; an unfinished one is all that is left.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  const char kind = text[1];
  if (kind == '[') {  // CSI: parameters and intermediates, then one final byte
    for (std::size_t i = 2; i < text.size(); ++i)
      if (text[i] >= 0x40 && text[i] <= 0x7e) return i + 1;
    return text.size();
  }
  if (kind == ']' || kind == 'P' || kind == '_' || kind == '^' || kind == 'X') {  // strings, ended by BEL or ESC backslash
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == kBell) return i + 1;
      if (text[i] == kEscape && i + 1 < text.size() && text[i + 1] == '\\') return i + 2;
      if (text[i] == '\n') return i;  // never ended: what follows is text again
    }
    return text.size();
  }
  for (std::size_t i = 1; i < text.size(); ++i)  // intermediates, then one final byte
    if (text[i] < 0x20 || text[i] > 0x2f) return i + 1;
  return text.size();
}

bool shown(char c) { return c == '\t' || c == '\n' || static_cast<unsigned char>(c) >= 0x20; }

}  // namespace

std::string plain_text(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  std::size_t line = 0;  // where the last line of `out` begins
  for (std::size_t i = 0; i < bytes.size();) {
    const char c = bytes[i];
    if (c == kEscape) {
      i += escape_length(bytes.substr(i));
      continue;
    }
    ++i;
    if (c == '\r') {
      if (i < bytes.size() && bytes[i] != '\n' && bytes[i] != '\r') out.resize(line);
    } else if (c == '\b') {
      if (out.size() > line) out.pop_back();
    } else if (shown(c) && c != '\x7f') {
      out += c;
      if (c == '\n') line = out.size();
    }
  }
  return base::valid_utf8(out) ? out : base::utf8_lossy(out);
}

}  // namespace tool
