#pragma once
// What `outlast agent` is asked to run, checked whole before anything is written.
#include <string>

#include "cli/agent.h"
#include "cli/output.h"
#include "cli/process.h"
#include "engine/launch.h"

namespace cli {

// The request, or what is wrong with the command line, the profile, the session, the model or the work directory. Says on
// stderr which session a prefix or -c has found.
aio::Task<Checked<engine::LaunchRequest>> agent_request(Process& process, const AgentOptions& options);

// The run of the session that is not over, told as a refusal.
Failure live_leg(const store::Run& run);

}  // namespace cli
