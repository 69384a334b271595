#include "engine/executor.h"

#include "base/limits.h"
#include "base/log.h"

namespace engine {

namespace limits = base::limits;

namespace {

constexpr std::size_t kTasksAtOnce = 64;       // taken over in one go
constexpr std::int64_t kProjectionMs = 5'000;  // how long an end waits for the files of its run directory

aio::TaskGroup::OnFailure report(const char* what) {
  return [what](const std::string& name, const std::string& reason) { base::log::error(what, {{"task", name}, {"reason", reason}}); };
}

}  // namespace

base::Result<> model_usable(const Deps& deps, const store::Run& run, const run::Spec& spec) {
  if (spec.call || spec.harness) return {};
  const auto endpoint = deps.endpoint_of(run, spec);
  if (!endpoint) return std::unexpected(endpoint.error());
  return deps.models.usable(*endpoint);
}

Executor::Executor(Deps& deps, ExecutorOptions options)
    : deps_(deps),
      options_(options),
      control_(deps.io),
      room_(deps.io),
      changed_(deps.io),
      tasks_(deps.io, report("a task of the executor failed")),
      runs_(deps.io, report("an execution failed")) {}

Executor::~Executor() = default;

aio::Task<> Executor::start() {
  owner_ = co_await deps_.store.register_owner();
  tasks_.spawn("control", hear_control());
  if (options_.adopt) tasks_.spawn("adopt", adopt_loop());
}

// What a run has started has room of its own: a run that waits for it must not keep it from running.
bool Executor::is_dependent(const std::string& kind, const std::string& parent_run_id) {
  return kind == store::kKindTool || !parent_run_id.empty();
}

bool Executor::has_room(bool dependent) const {
  if (dependent) return dependents_executing_ < limits::kConcurrentTasksMax;
  return executing_.size() - dependents_executing_ + starting_ < options_.concurrent_runs_max;
}

aio::Task<store::Launched> Executor::launch(LaunchRequest request) {
  const bool claim = has_room(is_dependent(request.kind, request.parent_run_id)) && !stopping_;
  if (claim) ++starting_;
  struct Starting {
    std::size_t* count;
    ~Starting() {
      if (count) --*count;
    }
  } starting{claim ? &starting_ : nullptr};
  auto launch = make_launch(request, deps_.time, deps_.random, claim ? owner_ : 0);
  if (request.kind != store::kKindTool) launch.waiting_max = options_.pending_runs_max;
  if (request.in_turn) launch.turns_max = limits::kSessionTurnsMax;
  store::Slice first{.first = 0, .count = launch.first_event_count, .lines = std::make_shared<const std::string>(launch.first_events)};
  auto launched = co_await deps_.store.launch(std::move(launch));
  if (launched.known == store::Known::no_room) ++deps_.counters.launches_refused;
  if (launched.known != store::Known::fresh) {
    // What a run had started before a crash may have nobody who executes it: whoever starts it again goes on with it.
    if (is_dependent(launched.run)) co_await tend(launched.run);
    co_return launched;
  }
  ++deps_.counters.runs_launched;
  if (claim && launched.run.owner == owner_) begin({.run = launched.run, .log = std::move(first)});  // else it waits its turn
  co_return launched;
}

aio::Task<base::Result<>> Executor::take(store::RunNumber run, store::OwnerNumber from) {
  auto lease = co_await deps_.store.claim(run, owner_, from);
  if (!lease) co_return std::unexpected(lease.error());
  begin(std::move(*lease));
  co_return base::Result<>{};
}

aio::Task<> Executor::tend(store::Run run) {
  if (stopping_ || run::is_terminal(run.status) || executing_.contains(run.number) || !has_room(is_dependent(run))) co_return;
  const auto spec = run::decode_spec(run.spec);
  if (spec && model_usable(deps_, run, *spec)) co_await take(run.number, 0);
}

void Executor::begin(store::Lease lease) {
  const auto number = lease.run.number;
  if (const auto other = executing_.find(number); other != executing_.end()) {
    // Two attempts of one run meet in this process. The later one goes on; a launch may be answered after its run was adopted.
    if (other->second->row().epoch >= lease.run.epoch) return;
    other->second->hand_over();
  }
  auto known = lease.log;
  auto execution = make_execution(deps_, tasks_, *this, std::move(lease));
  if (!runs_.spawn("run " + execution->row().run_id, execute(execution))) return;  // stopping: the lease dies with the process
  if (const auto& run = execution->row(); deps_.projection && !run.group_id.empty())
    tasks_.spawn("projection of " + run.run_id, project(number, deps_.projection->follow(run, std::move(known))));
  if (is_dependent(execution->row())) ++dependents_executing_;
  executing_[number] = std::move(execution);
  deps_.counters.runs_executing = executing_.size();
}

aio::Task<> Executor::project(store::RunNumber run, aio::Task<> follow) {
  struct Done {
    Executor& executor;
    store::RunNumber run;
    ~Done() {
      if (--executor.projecting_[run] == 0) executor.projecting_.erase(run);
      executor.changed_.notify_all();
    }
  } done{*this, run};
  ++projecting_[run];
  co_await std::move(follow);
}

aio::Task<> Executor::execute(std::shared_ptr<Execution> execution) {
  struct Done {
    Executor& executor;
    const Execution* execution;
    store::RunNumber run;
    ~Done() {
      if (is_dependent(execution->row())) --executor.dependents_executing_;
      if (const auto at = executor.executing_.find(run); at != executor.executing_.end() && at->second.get() == execution)
        executor.executing_.erase(at);
      if (executor.deps_.projection) executor.deps_.projection->leave(run);
      executor.deps_.counters.runs_executing = executor.executing_.size();
      executor.changed_.notify_all();
      executor.room_.notify_all();
    }
  } done{*this, execution.get(), execution->row().number};
  std::string broken;
  try {
    const auto ending = co_await execution->run();
    count_ending(execution->row(), ending);
    // A process that goes on must not renew the lease of what it has given up.
    if (ending == Ending::handed_over && !execution->released()) co_await give_back(execution->row(), "");
  } catch (const std::exception& error) {
    if (aio::is_cancelled(error)) throw;
    broken = error.what();
  }
  if (broken.empty()) co_return;
  // A run must not stay RUNNING under a living owner that no longer executes it.
  base::log::error("an execution failed", {{"run", execution->row().run_id}, {"reason", broken}});
  co_await execution->fail(broken);
  ++deps_.counters.runs_failed;
}

void Executor::count_ending(const store::Run& run, Ending ending) {
  auto& c = deps_.counters;
  if (ending == Ending::lost) {
    ++c.leases_lost;
    base::log::warning("another process has taken the run over", {{"run", run.run_id}, {"attempt", std::to_string(run.epoch)}});
    return;
  }
  if (ending == Ending::handed_over) return;
  if (run.status == run::Status::completed) ++c.runs_completed;
  if (run.status == run::Status::error) ++c.runs_failed;
  if (run.status == run::Status::cancelled) ++c.runs_cancelled;
  if (run.status == run::Status::paused) ++c.runs_paused;
}

aio::Task<store::CancelAnswer> Executor::cancel(std::string run_id) {
  const auto answer = co_await deps_.store.request_cancel(run_id);
  if (answer.outcome != store::CancelOutcome::already_finished)
    for (const auto& [number, execution] : executing_)
      if (execution->row().run_id == run_id) {
        execution->cancel();
        break;
      }
  co_return answer;
}

void Executor::control_changed() {
  control_.notify_all();
  room_.notify_all();
}

aio::Task<> Executor::hear_control() {
  for (;;) {
    // A ring can be lost, with the process that bound the cancel and died before it rang, or between a claim and its begin.
    co_await aio::wait_for(deps_.time, control_, std::chrono::milliseconds(limits::kControlPollMs));
    if (executing_.empty()) continue;
    try {
      for (const auto number : co_await deps_.store.cancelled_of(owner_))
        if (const auto at = executing_.find(number); at != executing_.end()) at->second->cancel();
    } catch (const base::Broken& error) {
      // The loop outlives a broken disk; an append of the run finds the cancel at the latest.
      base::log::error("cancels could not be looked for", {{"reason", error.what()}});
    }
  }
}

aio::Task<> Executor::adopt_loop() {
  while (!stopping_) {
    try {
      co_await adopt_some();
    } catch (const base::Broken& error) {
      // The loop outlives a broken disk: nobody else may be there to take over what waits.
      base::log::error("orphans could not be taken over", {{"reason", error.what()}});
    }
    co_await aio::wait_for(deps_.time, room_, std::chrono::milliseconds(limits::kOrphanScanMs));
  }
}

aio::Task<> Executor::adopt_some() {
  // What runs have started is looked for by itself: it must not wait behind a backlog of agents. Not at every ring: the search passes by all of
  // that backlog, and each end of a run rings.
  if (const auto now = deps_.time.steady_ms(); now >= next_task_scan_ms_ && has_room(true)) {
    next_task_scan_ms_ = now + limits::kOrphanScanMs;
    co_await adopt(co_await deps_.store.orphans(kTasksAtOnce, store::Orphans::dependent));
  }
  if (!has_room(false)) co_return;
  const auto room = options_.concurrent_runs_max - (executing_.size() - dependents_executing_) - starting_;
  co_await adopt(co_await deps_.store.orphans(room + unusable_.size()));
}

aio::Task<> Executor::adopt(std::vector<store::Run> orphans) {
  for (const auto& orphan : orphans) {
    if (stopping_) co_return;
    if (!has_room(is_dependent(orphan))) continue;
    if (unusable_.contains(orphan.number) && !orphan.cancel_requested) continue;
    if (const auto own = executing_.find(orphan.number); own != executing_.end()) {
      // Our own lease has lapsed (a stop of this process, a jump of the clock): still ours. Or the run was lost and lost again:
      // the old attempt ends first.
      if (orphan.epoch != own->second->row().epoch) own->second->hand_over();
      continue;
    }
    const auto spec = run::decode_spec(orphan.spec);
    const auto usable = spec ? model_usable(deps_, orphan, *spec) : base::Result<>{};
    auto lease = co_await deps_.store.claim(orphan.number, owner_, 0);
    if (!lease) continue;  // another process was quicker
    if (!usable && !orphan.cancel_requested) {
      unusable_.insert(orphan.number);
      base::log::warning("a run waits for a process that can execute it", {{"run", orphan.run_id}, {"reason", usable.error().message}});
      co_await give_back(lease->run, "run.waiting.no_provider: " + usable.error().message);
      continue;
    }
    ++deps_.counters.runs_adopted;
    base::log::info("adopted a run", {{"run", orphan.run_id}, {"attempt", std::to_string(lease->run.epoch)}});
    begin(std::move(*lease));
  }
}

// Until it is done: a run that this living process holds and does not execute would wait for ever.
aio::Task<> Executor::give_back(store::Run run, std::string reason) {
  while (!stopping_) {
    try {
      co_await deps_.store.release(run.number, run.epoch, reason);
      co_return;
    } catch (const base::Broken& error) {
      base::log::error("a run could not be given back", {{"run", run.run_id}, {"reason", error.what()}});
    }
    co_await deps_.time.sleep(std::chrono::milliseconds(limits::kOrphanScanMs));
  }
}

aio::Task<> Executor::finished(store::RunNumber run) {
  while (executing_.contains(run)) co_await changed_.wait();
  const auto end = deps_.time.steady_ms() + kProjectionMs;
  while (projecting_.contains(run) && deps_.time.steady_ms() < end)
    co_await aio::wait_for(deps_.time, changed_, std::chrono::milliseconds(end - deps_.time.steady_ms()));
}

aio::Task<> Executor::idle() {
  while (!executing_.empty()) co_await changed_.wait();
}

aio::Task<> Executor::stop(std::int64_t grace_ms) {
  stopping_ = true;
  runs_.close();
  for (const auto& [number, execution] : executing_) execution->stop_after_step();
  const auto end = deps_.time.steady_ms() + grace_ms;
  while (!executing_.empty() && deps_.time.steady_ms() < end)
    co_await aio::wait_for(deps_.time, changed_, std::chrono::milliseconds(end - deps_.time.steady_ms()));
  for (const auto& [number, execution] : executing_) execution->hand_over();
  co_await runs_.join();
  const auto files_end = deps_.time.steady_ms() + kProjectionMs;
  while (!projecting_.empty() && deps_.time.steady_ms() < files_end)
    co_await aio::wait_for(deps_.time, changed_, std::chrono::milliseconds(files_end - deps_.time.steady_ms()));
  tasks_.close();
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace engine
