#pragma once
// An agent's run, or one call: fold the log, ask the machine what is due, perform it, append what happened.
#include <memory>
#include <string>

#include "aio/scope.h"
#include "engine/execution.h"
#include "engine/hooks.h"
#include "engine/run_log.h"

namespace engine {

class AgentExecution final : public Execution {
 public:
  // `tasks` runs the log's pump and the deadline; it and `deps` outlive the execution.
  AgentExecution(Deps& deps, aio::TaskGroup& tasks, store::Lease lease);

  aio::Task<Ending> run() override;
  aio::Task<> fail(std::string what) override;
  void cancel() override;
  void hand_over() override;
  void stop_after_step() override { stopping_ = true; }
  bool released() const override { return released_; }
  const store::Run& row() const override { return lease_.run; }

 private:
  aio::Task<Ending> loop();
  // False: the run is no longer ours.
  aio::Task<bool> perform(run::Action action);
  aio::Task<bool> append(const run::AppendEvents& events);
  aio::Task<> look_around();
  aio::Task<> end_tools();
  aio::Task<bool> call_model();
  aio::Task<bool> call_tools(std::vector<run::ToolCall> calls);
  aio::Task<> note_take_over();
  aio::Task<> look_for_tools();
  bool is_own_call() const;
  aio::Task<> begin_hooks();
  aio::Task<> fire_for_finished_calls();
  aio::Task<bool> fire_before(const run::AppendEvents& events);
  aio::Task<> fire_task_end(run::Status status);
  aio::Task<bool> wait_for_earlier_tasks();
  aio::Task<> make_room();
  std::int64_t tokens_now() const;
  run::Situation situation() const;
  std::unique_ptr<RunLog> open_log();

  Deps& deps_;
  aio::TaskGroup& tasks_;
  store::Lease lease_;
  std::shared_ptr<const tool::Toolbox> tools_;  // the process' own, with those of the run's MCP servers
  run::Spec spec_;
  run::AgentState state_;
  std::vector<run::Message> past_;
  std::vector<std::string> missing_servers_;  // of MCP, as it was recorded last
  std::unique_ptr<RunLog> log_;
  std::unique_ptr<Hooks> hooks_;
  std::shared_ptr<aio::Scope> scope_;  // shared with the deadline's task, which may outlive the run
  bool cancel_requested_ = false, stopping_ = false, taken_over_ = false, died_ = false, past_loaded_ = false, released_ = false;
  std::int64_t crashes_ = 0;
  // Before a model call: what it is to be told.
  std::vector<std::pair<std::int64_t, run::Notice>> notices_;
  std::optional<store::MemoryFilter> shown_;  // none: nothing of the memory
  store::Page<run::MemoryEntry> memory_;
};

}  // namespace engine
