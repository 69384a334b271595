#pragma once
// The numbers of a session's events. Its turns in the order of their launch, each with its own dense log, make one sequence:
// event i of a turn is number i + the events of all turns before it. A turn's events have numbers once the turns before it have
// ended, so a number is given once and means the same for ever. Pure.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "store/types.h"

namespace api::apps {

// Where a number lies, or will lie when it is written.
struct Place {
  std::size_t turn = 0;     // in the list
  std::uint64_t first = 0;  // the number of the turn's first event
  std::uint64_t seq = 0;    // the number that was asked for, or the next that retention has left
};
// Nothing: all turns have ended before that number.
std::optional<Place> place_of(std::span<const store::Turn> turns, std::uint64_t seq);

// One more than the last number that has been given.
std::uint64_t next_seq(std::span<const store::Turn> turns);

// Reading from here shows all of this turn: its first number where that is known, else the next that will be given.
std::uint64_t begin_of(std::span<const store::Turn> turns, std::string_view run_id);

// What the session does now.
struct Standing {
  std::string_view status = "idle";     // idle, running, paused
  const store::Turn* active = nullptr;  // the turn that has not ended and waits for no other
  std::size_t queued = 0, begun = 0;    // turns that wait; all others
};
Standing standing_of(std::span<const store::Turn> turns);

}  // namespace api::apps
