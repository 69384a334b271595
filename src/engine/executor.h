#pragma once
// Executes runs in this process: those it launches, and those whose executor died or never was. Every process that may
// execute has one; whoever holds the lease executes, everyone can read.
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "aio/notifier.h"
#include "aio/task_group.h"
#include "base/limits.h"
#include "engine/deps.h"
#include "engine/execution.h"
#include "engine/launch.h"

namespace engine {

struct ExecutorOptions {
  std::size_t concurrent_runs_max;
  std::size_t pending_runs_max = base::limits::kPendingRunsMax;  // a launch beyond is refused (store::Known::no_room)
  bool adopt = true;                   // take over orphans of any process; else only what is given to it
};

// Whether this process could call the run's model: it knows the provider, and its key. A task calls none.
base::Result<> model_usable(const Deps& deps, const store::Run& run, const run::Spec& spec);

class Executor {
 public:
  Executor(Deps& deps, ExecutorOptions options);
  ~Executor();

  // Registers this process with the store and, where asked, begins to adopt. Await before anything else.
  aio::Task<> start();

  // Makes the run durable; executes it here as soon as there is room.
  aio::Task<store::Launched> launch(LaunchRequest request);

  // Takes over one run from its present owner `from` (0: none) and executes it. Errc as store::Store::claim.
  aio::Task<base::Result<>> take(store::RunNumber run, store::OwnerNumber from);

  // Takes over a run that somebody here waits for, where no living process executes it; else does nothing.
  aio::Task<> tend(store::Run run);

  // Records the cancel durably and acts on it at once where the run executes here.
  aio::Task<store::CancelAnswer> cancel(std::string run_id);

  // The store's control bell: cancels and claimable runs.
  void control_changed();

  // Waits until the run is not executed here (any more) and, for a bounded time, until its directory is current.
  aio::Task<> finished(store::RunNumber run);

  // Waits until nothing executes here.
  aio::Task<> idle();

  // Takes no new runs, waits up to `grace_ms` for steps under way, hands the rest over, and joins.
  aio::Task<> stop(std::int64_t grace_ms);

  store::OwnerNumber owner() const { return owner_; }
  std::size_t executing() const { return executing_.size(); }

 private:
  aio::Task<> adopt_loop();
  aio::Task<> adopt_some();
  aio::Task<> adopt(std::vector<store::Run> orphans);
  aio::Task<> give_back(store::Run run, std::string reason);
  aio::Task<> hear_control();
  void begin(store::Lease lease);
  aio::Task<> project(store::RunNumber run, aio::Task<> follow);
  aio::Task<> execute(std::shared_ptr<Execution> execution);
  void count_ending(const store::Run& run, Ending ending);
  static bool is_dependent(const std::string& kind, const std::string& parent_run_id);
  static bool is_dependent(const store::Run& run) { return is_dependent(run.kind, run.parent_run_id); }
  bool has_room(bool dependent) const;

  Deps& deps_;
  const ExecutorOptions options_;
  store::OwnerNumber owner_ = 0;
  std::unordered_map<store::RunNumber, std::shared_ptr<Execution>> executing_;  // shared with its own task
  std::unordered_map<store::RunNumber, std::size_t> projecting_;                // follows under way of each run
  std::unordered_set<store::RunNumber> unusable_;                               // orphans that this process cannot execute
  std::size_t starting_ = 0, dependents_executing_ = 0;  // among executing_: what runs have started
  std::int64_t next_task_scan_ms_ = 0;
  bool stopping_ = false;
  aio::Notifier control_, room_, changed_;  // a bell; a bell, or room for another run; something has ended here
  aio::TaskGroup tasks_;    // loops, pumps, deadlines
  aio::TaskGroup runs_;     // executions
};

}  // namespace engine
