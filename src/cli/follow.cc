#include "cli/follow.h"

#include <csignal>

#include "aio/task_group.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/orphan_guard.h"
#include "cli/output.h"
#include "cli/run_files.h"
#include "cli/run_json.h"
#include "cli/signals.h"
#include "cli/store_command.h"
#include "cli/transcript.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace {

constexpr std::int64_t kSecondInterruptMs = 1'500;
constexpr std::int64_t kCancelMs = 10'000;

// One run being shown. Io thread.
class Follow {
 public:
  Follow(Process& process, store::Run run, FollowOptions options)
      : process_(process),
        run_(std::move(run)),
        options_(std::move(options)),
        transcript_({.text_live = !options_.json && out_is_terminal(),
                     .asides = !options_.json && (options_.verbose || err_is_terminal()),
                     .from = options_.from}),
        tasks_(process.io, [](const std::string& name, const std::string& what) { warn(name + ": " + what); }) {}

  aio::Task<int> show() {
    auto spec = run::decode_spec(run_.spec);
    if (!spec) co_return complain(spec.error());
    state_ = run::initial_state(*spec, run_.created_ms);
    if (!options_.json && out_is_terminal()) transcript_.aside("");
    OrphanGuard guard(
        process_, [this](const store::Run&, const std::string& what) { transcript_.aside(what); },
        [](const store::Run&, const std::string&) {});
    guard.watch(run_);
    tasks_.spawn("guard", guard.stand());
    std::exception_ptr broken;
    try {
      const Signals signals(process_.io, [this](int signal) { interrupted(signal); });
      if (options_.early_signal) interrupted(options_.early_signal);
      co_await read_to_the_end();
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
    return run::is_terminal(state_.status) || (state_.status == run::Status::paused && state_.next_index >= run_.event_count);
  }

  // Whoever gets no hints asks for the decision and follows the run again: its text comes then, once.
  bool has_result() const { return ended() && (options_.hints || state_.status != run::Status::paused); }

  aio::Task<> read_to_the_end() {
    engine::LiveLogs::Reader reader(*process_.logs, run_.number);
    while (!ended() && !leaving_) {
      const auto block = co_await reader.read(state_.next_index);
      if (block)
        add(block->slice);
      else if (!leaving_)
        co_await reader.wait(state_.next_index);
    }
  }

  void add(const store::Slice& slice) {
    std::string_view rest = *slice.lines;
    for (auto index = slice.first; !rest.empty(); ++index) {
      const auto end = rest.find('\n');
      const auto line = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      if (index < state_.next_index) continue;
      const auto event = run::decode(line);
      if (!event) throw base::Broken("event " + std::to_string(index) + " cannot be read: " + event.error().message);
      run::apply(state_, *event);
      transcript_.add(index, *event);
      if (const auto* error = std::get_if<run::RunError>(&event->payload)) error_ = error->message;
    }
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
      transcript_.aside("");
      transcript_.aside("Detached: the run goes on. Ctrl-C again now cancels it; come back with `outlast attach " + run_.run_id +
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
    transcript_.aside("Cancelling run " + run_.run_id + " ...");
    tasks_.spawn("cancel", cancel());
  }

  aio::Task<> cancel() {
    co_await process_.store->request_cancel(run_.run_id);
    co_await process_.time.sleep(std::chrono::milliseconds(kCancelMs));
    transcript_.aside("The cancel is recorded; the run has not ended yet: outlast wait " + run_.run_id);
    leave();
  }

  aio::Task<int> conclude() {
    auto now = co_await present(process_, run_.run_id);
    if (!now) co_return complain(kFailed, "run " + run_.run_id + " was removed");
    if (options_.json)
      put_line(base::to_text(result_json(*now, state_)));
    else
      transcript_.finish(state_, has_result() ? Transcript::End::run : Transcript::End::left);
    co_await files_settled(process_, *now);
    const auto outcome = engine::outcome_of(now->status, now->reason);
    if (!error_.empty()) complain(kFailed, error_);
    if (outcome.word == "completed_empty") complain(kFailed, "the run ended without any text or tool call");
    if (now->status == run::Status::paused && !options_.json && options_.hints)
      note("paused: it waits for a decision: outlast approve " + now->run_id);
    if (!options_.json && options_.hints) {
      note("");
      note("[to resume] " + options_.resume_with + " -r " + now->session_id + " \"...\"");
    }
    if (ended() && !cancelling_) co_return outcome.exit_code.value_or(kStillRunning);
    co_return terminated_ ? kTerminated : kInterrupted;
  }

  Process& process_;
  const store::Run run_;
  const FollowOptions options_;
  Transcript transcript_;
  aio::TaskGroup tasks_;
  run::AgentState state_;
  std::string error_;
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
