// What a resumed flow takes over.
#include <algorithm>
#include <set>

#include "run/flow.h"

namespace run {

std::vector<OpEnded> carried_over(const FlowState& ended, bool retry_failed) {
  std::vector<OpEnded> kept;
  std::set<std::string, std::less<>> again;
  const auto depends_on_one_again = [&again](const FlowOp& op) {
    return std::ranges::any_of(op.depends_on, [&again](const FlowEdge& edge) { return again.contains(edge.op); });
  };
  // What is done again makes everything behind it be done again, however the plan lists it.
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& op : ended.plan.operations) {
      const auto* known = find_op(ended, op.id);
      const bool stays = known && (known->phase == OpPhase::done || (known->phase == OpPhase::failed && !retry_failed)) && !depends_on_one_again(op);
      if (!stays && again.insert(op.id).second) changed = true;
    }
  }
  for (const auto& op : ended.plan.operations) {
    if (again.contains(op.id)) continue;
    const auto& known = *find_op(ended, op.id);
    kept.push_back({.op = op.id,
                    .attempt = known.attempts,
                    .run_id = known.run_id,
                    .outcome = known.phase == OpPhase::done ? OpOutcome::done : OpOutcome::failed,
                    .content = known.content,
                    .cause = known.cause,
                    .error = known.error,
                    .duration_ms = known.ended_ms - known.started_ms,
                    .usage = known.usage,
                    .digest = known.digest,
                    .verdict = known.verdict,
                    .carried = true});
  }
  return kept;
}

}  // namespace run
