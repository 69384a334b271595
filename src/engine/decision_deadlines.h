#pragma once
// Decisions that nobody makes in time: a run that has waited for an approval for longer than its app file allows goes on with
// those calls refused, and its model is told. What is durable decides, so it holds whoever looks, and after a restart.
#include "engine/deps.h"
#include "run/event.h"

namespace engine {

// The refusal of all calls that a pause waits for, when its time is over; nothing: it is not, or the run says no time.
std::optional<run::RunContinued> overdue_decision(const run::Event& pause, const run::Spec& spec, std::int64_t now_ms);

// One look: what is overdue is refused.
aio::Task<> refuse_overdue(Deps& deps);

// Until it is cancelled. Several processes may do it: of two that find the same pause one is quicker. `deps` outlives it.
aio::Task<> watch_decisions(Deps& deps);

}  // namespace engine
