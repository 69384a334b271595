#pragma once
// What of a run's log a stream owes its client, decided once when it opens. Pure.
#include <cstdint>
#include <optional>
#include <string>

#include "store/types.h"

namespace api::agentos {

// How a stream begins.
enum class Opening {
  events_only,  // the stream of a launch or of a continued leg: run events alone
  resume,       // meta events as /resume frames them
};

struct Course {
  std::string head;                      // meta events before the first run event
  std::uint64_t cursor = 0;              // the first event to send
  std::optional<std::uint64_t> join_at;  // `subscribed` comes before this event
  std::uint64_t known = 0;               // events that were there when the stream opened
  bool settled = false;                  // terminal or paused: the stream ends with event `known` - 1
};

// `last_event_index` is the client's, as given: absent or negative means everything.
Course plan_course(const store::Run& run, Opening opening, std::optional<std::int64_t> last_event_index);

// Terminal or paused: nothing is executed, and nothing will be unless somebody decides.
bool settled(const store::Run& run);

}  // namespace api::agentos
