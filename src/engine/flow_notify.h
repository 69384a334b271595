#pragma once
// Tells that a flow has ended, by the command that its user gave.
#include <string>

#include "engine/executor.h"

namespace engine {

// Does nothing for a flow that is live or has no such command. The command is a task of its own under a key of the flow, so that
// whoever tells of the same end again, after a crash, runs nothing twice.
aio::Task<> notify_end(Deps& deps, Executor& executor, std::string flow_run_id);

}  // namespace engine
