#pragma once
// The tool calls of one model message, made in parallel; each result is added to the log when it is there.
#include "engine/step.h"

namespace engine {

// All arguments outlive the task. Cancelling the awaiting task cancels the calls and waits for those that cannot be cut;
// `goes_on` tells them then whether the run goes on elsewhere.
aio::Task<bool> perform_tool_step(Step step, std::vector<run::ToolCall> calls, std::function<bool()> goes_on);

}  // namespace engine
