#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace base {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::not_found: return "not_found";
    case Errc::ambiguous: return "ambiguous";
    case Errc::conflict: return "conflict";
    case Errc::already_finished: return "already_finished";
    case Errc::lease_lost: return "lease_lost";
    case Errc::cancel_requested: return "cancel_requested";
    case Errc::busy: return "busy";
    case Errc::denied: return "denied";
    case Errc::unsupported: return "unsupported";
    case Errc::unavailable: return "unavailable";
    case Errc::timed_out: return "timed_out";
    case Errc::cancelled: return "cancelled";
    case Errc::provider_auth: return "provider_auth";
    case Errc::provider_request: return "provider_request";
    case Errc::provider_limited: return "provider_limited";
    case Errc::provider_failed: return "provider_failed";
    case Errc::network: return "network";
  }
  return "unknown";
}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "outlast: bug: ASSERT(%s) failed at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace base
