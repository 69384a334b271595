#pragma once
// What performing a step of a run needs besides the step itself. All of it outlives the step.
#include "engine/deps.h"
#include "engine/hooks.h"
#include "engine/run_log.h"

namespace engine {

struct Step {
  Deps& deps;
  const store::Run& run;
  const run::Spec& spec;
  std::shared_ptr<const tool::Toolbox> tools;  // the process' own, and those of the run's MCP servers
  RunLog& log;
  Hooks& hooks;
};

}  // namespace engine
