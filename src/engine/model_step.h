#pragma once
// One model call as a step of a run: attempts, retries by error class, superseded text, and the event that completes it.
#include "engine/step.h"
#include "run/agent.h"

namespace engine {

// A fact: the provider has a usage limit, which ends at `until_ms`.
inline constexpr std::string_view kLimitedFact = "limited";

// Performs the open model call of `state` until it completes (its ModelCompleted is added to the log) or fails for good.
// The model is told `noted` before all else. Cancelling the awaiting task closes the connection. All arguments outlive the task.
aio::Task<std::expected<void, run::AppendEvents>> perform_model_step(Step step, const std::vector<run::Message>& past,
                                                                     std::string noted, run::AgentState& state);

}  // namespace engine
