#pragma once
// One leased run being executed. What that means depends on its kind: an agent's conversation and a call (agent_execution.h), or a
// flow of other runs (flow_execution.h).
#include <memory>
#include <string>

#include "aio/task_group.h"
#include "engine/deps.h"

namespace engine {

class Executor;

enum class Ending { finished, lost, handed_over };

class Execution {
 public:
  virtual ~Execution() = default;

  // Until the run has ended, paused, or is no longer ours. Io thread; once.
  virtual aio::Task<Ending> run() = 0;

  // After run() threw: ends the run with an internal error. The text goes to the run's facts, not to clients.
  virtual aio::Task<> fail(std::string what) = 0;

  // The run was cancelled: ends at the next await, whatever is under way.
  virtual void cancel() = 0;
  // The process stops: give the run up at once, others go on with it.
  virtual void hand_over() = 0;
  // As hand_over, but a step under way may finish first.
  virtual void stop_after_step() = 0;

  // After run() came back with handed_over: whether the store knows.
  virtual bool released() const = 0;

  virtual const store::Run& row() const = 0;
};

// `tasks` runs its pumps and deadlines; all outlive it. Flows start their operations with `executor`.
std::shared_ptr<Execution> make_execution(Deps& deps, aio::TaskGroup& tasks, Executor& executor, store::Lease lease);

}  // namespace engine
