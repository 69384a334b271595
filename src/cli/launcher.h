#pragma once
// A run made durable and handed to a detached executor.
#include <cstdint>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/process.h"
#include "engine/launch.h"

namespace cli {

struct LaunchedRun {
  store::Run run;         // as it was launched
  std::string directory;  // of its files
  std::int64_t pid = 0;   // of the process that executes it; 0: another process took it over meanwhile
};

// Launches the request in the group that OUTLAST_RUN_ID (or LIONAGI_RUN_ID) names, else in its own; `command` is recorded with
// it. When this ends well the run is durable and a process that outlives this one executes it; else it is ended, and the
// failure says why.
aio::Task<Checked<LaunchedRun>> launch_detached(Process& process, engine::LaunchRequest request,
                                                std::vector<std::string> command);

// Starts an executor for a run whose own is dead. The failure says why nobody can go on with it here.
aio::Task<Checked<>> revive(Process& process, store::Run run);

}  // namespace cli
