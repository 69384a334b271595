#include "base/clock.h"

#include <sys/random.h>

#include <cstdio>
#include <ctime>

#include "base/error.h"

namespace base {

namespace {

std::int64_t read_ms(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

std::string format(std::int64_t wall_ms, const char* pattern) {
  const std::time_t seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[64];
  const auto n = std::strftime(text, sizeof text, pattern, &tm);
  return {text, n};
}

}  // namespace

std::int64_t SystemClock::wall_ms() const { return read_ms(CLOCK_REALTIME); }
std::int64_t SystemClock::steady_ms() const { return read_ms(CLOCK_BOOTTIME); }

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  while (getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {
  }
  return value;
}

std::string compact_utc(std::int64_t wall_ms) { return format(wall_ms, "%Y%m%dT%H%M%S"); }
std::string iso_utc(std::int64_t wall_ms) { return format(wall_ms, "%Y-%m-%dT%H:%M:%SZ"); }

std::string iso_utc_ms(std::int64_t wall_ms) {
  char tail[16];
  std::snprintf(tail, sizeof tail, ".%03dZ", static_cast<int>(wall_ms % 1000));
  return format(wall_ms, "%Y-%m-%dT%H:%M:%S") + tail;
}

}  // namespace base
