#include "api/apps/place.h"

#include <algorithm>

namespace api::apps {

std::optional<Place> place_of(std::span<const store::Turn> turns, std::uint64_t seq) {
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const auto& turn = turns[i];
    seq = std::max(seq, first + turn.first_kept);
    const bool ended = run::is_terminal(turn.status);
    if (!ended || seq < first + turn.event_count) return Place{.turn = i, .first = first, .seq = seq};
    first += turn.event_count;
  }
  return std::nullopt;
}

std::uint64_t next_seq(std::span<const store::Turn> turns) {
  std::uint64_t next = 0;
  for (const auto& turn : turns) {
    next += turn.event_count;
    if (!run::is_terminal(turn.status)) break;
  }
  return next;
}

std::uint64_t begin_of(std::span<const store::Turn> turns, std::string_view run_id) {
  const auto at = std::ranges::find(turns, run_id, &store::Turn::run_id);
  return next_seq(turns.first(static_cast<std::size_t>(at - turns.begin())));
}

Standing standing_of(std::span<const store::Turn> turns) {
  Standing standing;
  for (const auto& turn : turns) {
    ++(turn.waits ? standing.queued : standing.begun);
    if (turn.waits || run::is_terminal(turn.status) || standing.active) continue;
    standing.active = &turn;
    standing.status = turn.status == run::Status::paused ? "paused" : "running";
  }
  return standing;
}

}  // namespace api::apps
