#pragma once
// The one way in which a command starts a run: made durable, handed to a detached process, then shown or left.
#include <string>
#include <vector>

#include "cli/process.h"
#include "engine/launch.h"

namespace cli {

struct StartOptions {
  bool background = false, json = false, verbose = false;
  std::string resume_with = "outlast agent";  // the command that continues the session, for the hint
};

// `command` is the whole command line, for the record. The exit code: 0 in the background, else as follow_run.
aio::Task<int> start_run(Process& process, engine::LaunchRequest request, std::vector<std::string> command, StartOptions options);

}  // namespace cli
