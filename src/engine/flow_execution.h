#pragma once
// A flow under way: its operations are runs that this starts, looks after and waits for. They are executed wherever there is
// room; what is known of them is in the store, so that another process can go on with the flow at any point.
#include <map>
#include <memory>
#include <set>
#include <string>

#include "engine/execution.h"
#include "engine/executor.h"
#include "engine/run_log.h"
#include "run/flow.h"

namespace engine {

// The flow as its log says, up to an index.
aio::Task<run::FlowState> fold_flow(store::Store& store, const store::Run& run, const run::Spec& spec, std::uint64_t until = UINT64_MAX);

class FlowExecution final : public Execution {
 public:
  FlowExecution(Deps& deps, aio::TaskGroup& tasks, Executor& executor, store::Lease lease);

  aio::Task<Ending> run() override;
  aio::Task<> fail(std::string what) override;
  void cancel() override;
  void hand_over() override;
  void stop_after_step() override;
  bool released() const override { return released_; }
  const store::Run& row() const override { return lease_.run; }

 private:
  // The run of an operation, as far as this process has heard.
  struct Child {
    Child(LiveLogs& logs, store::Run r) : run(std::move(r)), reader(logs, run.number) {}
    store::Run run;
    LiveLogs::Reader reader;  // makes this process hear of what others append; it reads nothing
    std::uint64_t looked = UINT64_MAX;  // at which of its turns
  };

  aio::Task<Ending> loop();
  // False: the flow is no longer ours.
  aio::Task<bool> perform(run::FlowAction action);
  aio::Task<bool> append(run::AppendEvents events);
  aio::Task<> start(const run::StartOps& due);
  aio::Task<> start(std::string op, std::int64_t attempt);
  aio::Task<> end_children();
  aio::Task<> await(std::int64_t until_ms);
  // Looks at the runs of running operations: those that have ended are told, those that nobody executes are taken over.
  aio::Task<> look_at_children();
  std::optional<run::ChildView> heard_of(const std::string& op, const Child& child) const;
  aio::Task<run::ChildView> view(const std::string& op, const store::Run& run);
  aio::Task<> find_children();
  void make_directory(const run::FlowAgent& agent);
  aio::Task<> tell_mail();

  Deps& deps_;
  aio::TaskGroup& tasks_;
  Executor& executor_;
  store::Lease lease_;
  run::Spec spec_, worker_base_;
  run::FlowState state_;
  std::unique_ptr<RunLog> log_;
  std::map<std::string, std::unique_ptr<Child>, std::less<>> children_;       // of running operations
  std::map<std::string, run::ChildView, std::less<>> ended_;                  // not yet recorded
  std::optional<run::UnreadMail> unread_;  // looked at for the next decision
  std::set<std::string> told_;  // operations whose answers the team has
  std::int64_t looked_ms_ = 0;
  bool cancel_requested_ = false, stopping_ = false, cancelled_children_ = false, released_ = false;
};

}  // namespace engine
