#include "base/ids.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"

namespace base {

std::string hex(Random& random, int digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  std::uint64_t bits = 0;
  for (int i = 0; i < digits; ++i) {
    if (i % 16 == 0) bits = random.next();
    out += kDigits[bits & 15];
    bits >>= 4;
  }
  return out;
}

std::string new_run_id(const Clock& clock, Random& random) { return compact_utc(clock.wall_ms()) + "-" + hex(random, 12); }

std::string new_uuid(Random& random) {
  std::string h = hex(random, 32);
  h[12] = '4';
  h[16] = "89ab"[random.next() & 3];
  return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" + h.substr(20);
}

bool valid_run_id(std::string_view id) {
  if (id.empty() || id.size() > limits::kRunIdBytesMax || id == "." || id == "..") return false;
  return std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

bool valid_session_id(std::string_view id) {
  if (id.empty() || id.size() > limits::kSessionIdBytesMax || !valid_utf8(id)) return false;
  return std::ranges::none_of(id, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace base
