#include "base/failpoint.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>

#include "base/text.h"

namespace base {

namespace {
constexpr std::int64_t kLingerMsMax = 10'000;
std::atomic<std::int64_t> visits_left = 1;
std::int64_t linger_ms = 0;

// Blocks, as a place to die must.
void linger() {
  timespec left{.tv_sec = linger_ms / 1000, .tv_nsec = linger_ms % 1000 * 1'000'000};
  while (nanosleep(&left, &left) != 0) {
  }
}

// A whole number from 1 to max.
bool read_count(std::string_view text, std::int64_t max, std::int64_t& out) {
  const auto count = parse_int(text);
  if (!count || *count < 1 || *count > max) return false;
  out = *count;
  return true;
}
}  // namespace

namespace detail {

// The one mutable global of the program: a place to die has no caller that could be handed one. Set before threads start.
int armed_failpoint = -1;

void reach_failpoint(int) {
  if (visits_left.fetch_sub(1) != 1) return;
  linger();
  kill(getpid(), SIGKILL);
}

}  // namespace detail

void disarm_failpoint() { detail::armed_failpoint = -1; }

bool arm_failpoint(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.empty() || parts.size() > 3) return false;
  const auto at = std::ranges::find(kFailpoints, parts[0]);
  if (at == kFailpoints.end()) return false;
  std::int64_t visit = 1;
  if (parts.size() > 1 && !read_count(parts[1], INT64_MAX, visit)) return false;
  if (parts.size() > 2 && !read_count(parts[2], kLingerMsMax, linger_ms)) return false;
  visits_left = visit;
  detail::armed_failpoint = static_cast<int>(at - kFailpoints.begin());
  return true;
}

}  // namespace base
