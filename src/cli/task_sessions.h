#pragma once
// `outlast task sessions`: sessions of coding agents that were not started here, and taking one over (`task do --session`).
#include <string>

#include "cli/output.h"
#include "cli/process.h"
#include "harness/harness.h"

namespace cli {

struct TaskSessionsOptions {
  bool all = false, json = false;
};
int run_task_sessions(const TaskSessionsOptions& options);

// Binds the task to a session from then on, whoever began it. `how` is said in the task's history.
aio::Task<Checked<store::Assignment>> bind_task(Process& process, store::Assignment task, std::string session_id, std::string harness, std::string how);

// The session that a unique beginning of its id names, bound to the task; its directory must be the task's. `force`: in place of another.
aio::Task<Checked<store::Assignment>> take_over(Process& process, store::Assignment task, std::string id, bool force);

}  // namespace cli
