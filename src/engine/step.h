#pragma once
// What performing a step of a run needs besides the step itself. All of it outlives the step.
#include "engine/deps.h"
#include "engine/run_log.h"

namespace engine {

struct Step {
  Deps& deps;
  const store::Run& run;
  const run::Spec& spec;
  const tool::Toolbox& tools;  // the process' own, and those of the run's MCP servers
  RunLog& log;
};

}  // namespace engine
