#pragma once
// Which kind of failure ended a turn, from an HTTP status and from the words of an error message. Pure.
#include <cstdint>
#include <optional>
#include <string_view>

#include "run/harness_event.h"

namespace harness {

struct Failure {
  run::TurnOutcome outcome = run::TurnOutcome::failed;
  std::int64_t until_ms = 0;  // of a limit: the moment at which it ends, where the text names it
  std::int64_t for_ms = 0;    // ... or how long it lasts from now
  bool operator==(const Failure&) const = default;
};

// `status`: where the program tells it apart from the text, which is searched for one otherwise.
Failure failure_of(std::optional<std::int64_t> status, std::string_view text);

}  // namespace harness
