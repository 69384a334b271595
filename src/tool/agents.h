#pragma once
// Agents as tools see them: runs of kind agent that a call starts and waits for. Implemented by the engine. Io thread.
#include <cstdint>
#include <string>

#include "aio/task.h"
#include "base/error.h"
#include "run/status.h"

namespace tool {

struct Context;

struct AgentView {
  std::string run_id, agent;
  run::Status status = run::Status::pending;
  std::string content;  // what it said in the end
  std::string error;    // why it failed
  std::int64_t started_ms = 0, ended_ms = 0;
};

class Agents {
 public:
  virtual ~Agents() = default;
  // Starts the specialist of the calling run's team, or finds the run that this call has started before. Errc::not_found: there is
  // none of that name; Errc::unsupported: runs that give work to runs are nested too deeply.
  virtual aio::Task<base::Result<AgentView>> launch(const Context& caller, std::string specialist, std::string prompt) = 0;
  // Until it has ended. A cancel of the awaiting task leaves it alone.
  virtual aio::Task<AgentView> wait(std::string run_id) = 0;
  // Before the end of a run: those that it has started end with it.
  virtual aio::Task<> end_children(std::string run_id) = 0;
};

}  // namespace tool
