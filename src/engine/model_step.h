#pragma once
// One model call as a step of a run: attempts, retries by error class, superseded text, and the event that completes it.
#include "engine/deps.h"
#include "engine/run_log.h"
#include "run/agent.h"

namespace engine {

// Performs the open model call of `state` until it completes (its ModelCompleted is added to the log) or fails for good.
// Cancelling the awaiting task closes the connection. All arguments outlive the task.
aio::Task<std::expected<void, run::AppendEvents>> perform_model_step(Deps& deps, const store::Run& run, const run::Spec& spec,
                                                                     const std::vector<run::Message>& past, run::AgentState& state,
                                                                     RunLog& log);

}  // namespace engine
