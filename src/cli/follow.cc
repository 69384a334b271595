#include "cli/follow.h"

#include <algorithm>
#include <csignal>

#include "aio/task_group.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/orphan_guard.h"
#include "cli/output.h"
#include "cli/run_files.h"
#include "cli/run_situation.h"
#include "cli/run_view.h"
#include "cli/signals.h"
#include "cli/store_command.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace {

constexpr std::int64_t kSecondInterruptMs = 1'500;
constexpr std::int64_t kCancelMs = 10'000;
constexpr std::int64_t kTickMs = 200;
constexpr std::int64_t kTicksToALook = 5;

// One run being shown. Io thread.
class Follow {
 public:
  Follow(Process& process, store::Run run, FollowOptions options)
      : process_(process),
        run_(std::move(run)),
        options_(std::move(options)),
        tasks_(process.io, [](const std::string& name, const std::string& what) { warn(name + ": " + what); }) {}

  aio::Task<int> show() {
    auto spec = run::decode_spec(run_.spec);
    if (!spec) co_return complain(spec.error());
    view_ = spec->flow ? flow_view(run_, std::move(*spec), options_) : agent_view(run_, *spec, options_);
    OrphanGuard guard(
        process_, [this](const store::Run&, const std::string& what) { view_->aside(what); },
        [](const store::Run&, const std::string&) {});
    guard.watch(run_);
    tasks_.spawn("guard", guard.stand());
    if (err_is_terminal() && !options_.json) tasks_.spawn("clock", tick());
    std::exception_ptr broken;
    try {
      const Signals signals(process_.io, [this](int signal) { interrupted(signal); });
      if (options_.early_signal) interrupted(options_.early_signal);
      co_await read_to_the_end();
      if (ended()) co_await stream_.settle();
    } catch (...) {
      broken = std::current_exception();
    }
    tasks_.close();
    tasks_.cancel();
    co_await tasks_.join();
    if (broken) std::rethrow_exception(broken);
    co_return co_await conclude();
  }

 private:
  // A pause that had been decided when the run was looked at is none.
  bool ended() const {
    return run::is_terminal(view_->status()) || (view_->status() == run::Status::paused && view_->next_index() >= run_.event_count);
  }

  // Whoever gets no hints asks for the decision and follows the run again: its text comes then, once.
  bool has_result() const { return ended() && (options_.hints || view_->status() != run::Status::paused); }

  aio::Task<> read_to_the_end() {
    engine::LiveLogs::Reader reader(*process_.logs, run_.number);
    while (!ended() && !leaving_) {
      const auto block = co_await reader.read(view_->next_index());
      if (block)
        add(block->slice);
      else if (!leaving_)
        co_await reader.wait(view_->next_index());
    }
  }

  void add(const store::Slice& slice) {
    std::string_view rest = *slice.lines;
    for (auto index = slice.first; !rest.empty(); ++index) {
      const auto end = rest.find('\n');
      const auto line = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      if (index < view_->next_index()) continue;
      const auto event = run::decode(line);
      if (!event) throw base::Broken("event " + std::to_string(index) + " cannot be read: " + event.error().message);
      view_->add(index, *event);
      for (auto& begun : view_->begun()) stream_.begin(std::move(begun));
    }
  }

  aio::Task<> tick() {
    for (std::int64_t ticks = 0;; ++ticks) {
      if (ticks % kTicksToALook == 0) co_await look_for_decisions();
      view_->tick(process_.time.wall_ms());
      co_await process_.time.sleep(std::chrono::milliseconds(kTickMs));
    }
  }

  // Counted first, which reads no run whole: that some are waiting is rare.
  aio::Task<> look_for_decisions() {
    auto parents = view_->at_work();
    if (parents.empty()) co_return view_->wait_for_decisions({});
    parents.insert(run_.run_id);
    const auto below = co_await process_.store->count_children(run_.number, std::move(parents));
    const bool some = std::ranges::any_of(below, [](const auto& of) { return of.second.pending > 0; });
    view_->wait_for_decisions(some ? co_await paused_below(process_, run_) : std::vector<store::Run>());
  }

  void interrupted(int signal) {
    if (signal == SIGHUP) return leave();
    if (signal == SIGTERM) {
      terminated_ = true;
      start_cancel();
      return;
    }
    if (options_.interrupt == FollowOptions::Interrupt::cancels) {
      if (++interrupts_ > 1) return leave();
      return start_cancel();
    }
    if (++interrupts_ == 1) {
      view_->aside("");
      view_->aside("Detached: the run goes on. Ctrl-C again now cancels it; come back with `outlast attach " + run_.run_id +
                        "`");
      tasks_.spawn("detach", leave_soon());
    } else {
      start_cancel();
    }
  }

  void leave() {
    leaving_ = true;
    process_.logs->tick();
  }

  aio::Task<> leave_soon() {
    co_await process_.time.sleep(std::chrono::milliseconds(kSecondInterruptMs));
    if (!cancelling_) leave();
  }

  void start_cancel() {
    if (std::exchange(cancelling_, true)) return;
    view_->aside("Cancelling run " + run_.run_id + " ...");
    tasks_.spawn("cancel", cancel());
  }

  aio::Task<> cancel() {
    co_await process_.store->request_cancel(run_.run_id);
    co_await process_.time.sleep(std::chrono::milliseconds(kCancelMs));
    view_->aside("The cancel is recorded; the run has not ended yet: outlast wait " + run_.run_id);
    leave();
  }

  aio::Task<int> conclude() {
    auto now = co_await present(process_, run_.run_id);
    if (!now) co_return complain(kFailed, "run " + run_.run_id + " was removed");
    if (options_.json)
      put_line(base::to_text(view_->result(*now)));
    else
      view_->finish(has_result());
    co_await files_settled(process_, *now);
    const auto outcome = engine::outcome_of(now->status, now->reason);
    view_->conclude(*now);
    if (ended() && !cancelling_) co_return outcome.exit_code.value_or(kStillRunning);
    co_return terminated_ ? kTerminated : kInterrupted;
  }

  Process& process_;
  const store::Run run_;
  const FollowOptions options_;
  std::unique_ptr<RunView> view_;  // from show() on
  aio::TaskGroup tasks_;
  FlowStream stream_{process_, tasks_};
  int interrupts_ = 0;
  bool leaving_ = false, cancelling_ = false, terminated_ = false;
};

}  // namespace

aio::Task<int> follow_run(Process& process, store::Run run, FollowOptions options) {
  if (run.first_kept > 0)
    co_return complain(kFailed, "the events of run " + run.run_id + " were given up by retention (keep_days)");
  Follow follow(process, std::move(run), std::move(options));
  co_return co_await follow.show();
}

}  // namespace cli
