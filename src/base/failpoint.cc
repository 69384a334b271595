#include "base/failpoint.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "base/text.h"

namespace base {

namespace {
std::atomic<std::int64_t> visits_left = 1;
}  // namespace

namespace detail {

// The one mutable global of the program: a place to die has no caller that could be handed one. Set before threads start.
int armed_failpoint = -1;

void reach_failpoint(int) {
  if (visits_left.fetch_sub(1) == 1) kill(getpid(), SIGKILL);
}

}  // namespace detail

bool arm_failpoint(std::string_view text) {
  const auto colon = text.find(':');
  const auto at = std::ranges::find(kFailpoints, text.substr(0, colon));
  if (at == kFailpoints.end()) return false;
  if (colon != std::string_view::npos) {
    const auto count = parse_int(text.substr(colon + 1));
    if (!count || *count < 1) return false;
    visits_left = *count;
  }
  detail::armed_failpoint = static_cast<int>(at - kFailpoints.begin());
  return true;
}

}  // namespace base
