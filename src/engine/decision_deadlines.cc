#include "engine/decision_deadlines.h"

#include "base/limits.h"
#include "base/log.h"

namespace engine {

aio::Task<> refuse_overdue(Deps& deps) {
  const auto now = deps.time.wall_ms();
  for (const auto& run : co_await deps.store.undecided(now)) {
    const auto spec = run::decode_spec(run.spec);
    const auto last = run::decode(co_await deps.store.last_event(run.number));
    auto decision = spec && last ? overdue_decision(*last, *spec, now) : std::nullopt;
    const auto pause = co_await deps.store.pause_of(run.number);
    if (!decision || !pause) continue;
    auto& refused = decision->decisions;
    for (const auto& made : pause->decided) std::erase_if(refused, [&made](const run::Decision& d) { return d.call_id == made.call_id; });
    const auto continued = co_await deps.store.decide(run.number, std::move(refused), run.event_count);
    if (continued) base::log::info("nobody decided in time: the run goes on", {{"run", run.run_id}});
  }
}

std::optional<run::RunContinued> overdue_decision(const run::Event& pause, const run::Spec& spec, std::int64_t now_ms) {
  const auto* paused = std::get_if<run::RunPaused>(&pause.payload);
  if (!paused || spec.limits.approval_ms <= 0 || now_ms - pause.at_ms < spec.limits.approval_ms) return std::nullopt;
  const auto note = "No decision within " + std::to_string(spec.limits.approval_ms / 1'000) + " s: the call was not run.";
  run::RunContinued refused;
  for (const auto& call : paused->calls) refused.decisions.push_back({.call_id = call.id, .approved = false, .note = note});
  return refused;
}

aio::Task<> watch_decisions(Deps& deps) {
  for (;;) {
    co_await deps.time.sleep(std::chrono::milliseconds(base::limits::kApprovalScanMs));
    try {
      co_await refuse_overdue(deps);
    } catch (const base::Broken& error) {
      base::log::error("decisions that take too long could not be looked for", {{"reason", error.what()}});
    }
  }
}

}  // namespace engine
