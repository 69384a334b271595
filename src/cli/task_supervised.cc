// `task do` with the agent as a run of our own: its pipes, its process tree and its log are Outlast's.
#include "base/json.h"
#include "cli/launcher.h"
#include "cli/decision.h"
#include "cli/registry_query.h"
#include "cli/spawn.h"
#include "cli/store_command.h"
#include "cli/task_do.h"
#include "engine/harness_execution.h"

namespace cli {

namespace {

constexpr std::int64_t kConfirmMs = 20'000;  // until the agent has named its session; it is not waited for any longer
constexpr std::int64_t kLookMs = 40;
constexpr std::int64_t kReviveMs = 1'000;    // how often a run that nobody executes is given an executor
constexpr std::int64_t kEndMs = 30'000;      // until a cancelled run has ended
constexpr int kRoundsMax = 20;

std::string run_hint(const std::string& run_id) { return "follow: outlast logs -f " + run_id + " · stop: outlast cancel " + run_id; }

aio::Task<Checked<>> keep_executed(Process& process, const store::Run& run) {
  if (co_await is_orphan(process, run.number)) co_return co_await revive(process, run);
  co_return Checked<>{};
}

// What the run ended with, in words; "" where it did well.
aio::Task<std::string> failure_of(Process& process, const store::Run& run) {
  if (run.status == run::Status::completed) co_return "";
  const auto last = run::decode(co_await process.store->last_event(run.number));
  if (const auto* error = last ? std::get_if<run::RunError>(&last->payload) : nullptr) co_return error->message;
  co_return run.status == run::Status::cancelled ? "it was cancelled" : run.reason;
}

// Whether the agent has confirmed its session, and the task is bound to that.
aio::Task<bool> is_bound(Process& process, const store::Run& run, const std::string& slug) {
  const auto state = co_await engine::fold_harness(*process.store, run);
  if (!state.named || state.ended) co_return false;
  const auto task = co_await process.store->find_assignment(slug);
  co_return !task || task->run_id != run.run_id || task->session_id == state.session_id;
}

// Waits until the task is bound to the session of the run's agent, the run has ended, or it has taken too long.
aio::Task<store::Run> await_session(Process& process, store::Run run, std::string slug) {
  const auto until = process.time.steady_ms() + kConfirmMs;
  auto revive_ms = process.time.steady_ms() + kReviveMs;
  for (;;) {
    if (const auto now = co_await present(process, run.run_id)) run = *now;
    if (run::is_terminal(run.status) || run.status == run::Status::paused || process.time.steady_ms() >= until) co_return run;
    if (co_await is_bound(process, run, slug)) co_return run;
    if (process.time.steady_ms() >= revive_ms) {
      co_await keep_executed(process, run);
      revive_ms = process.time.steady_ms() + kReviveMs;
    }
    co_await process.time.sleep(std::chrono::milliseconds(kLookMs));
  }
}

// The agent is there: nothing is started. What there is to say to it is kept for it.
aio::Task<std::optional<int>> report_live(Process& process, const store::Assignment& task, const store::Run& run, const Turn& turn, bool json) {
  std::string id;
  if (!turn.text.empty()) id = co_await leave_message(process, run, marked(turn.text));
  if (const auto executed = co_await keep_executed(process, run); !executed) note(executed.error().message);
  const auto now = co_await present(process, run.run_id);
  // The run may have ended before it saw the message: then the next turn is to begin with it.
  if (!id.empty() && (!now || run::is_terminal(now->status)) && co_await waits(process, run.session, id)) co_return std::nullopt;
  const auto session = task.session_id.empty() ? std::string("is starting") : "session " + task.session_id;
  const auto doing = run.status == run::Status::paused ? "waits for a decision; see `outlast task show " + task.slug + "`" : std::string("is at work");
  if (id.empty())
    say_done(task, "live", task.slug + " " + doing + " (" + session + ")", run_hint(run.run_id), json);
  else
    say_done(task, "queued", "Queued for " + task.slug + " (message " + id + ", " + session + ")", run_hint(run.run_id), json);
  co_return kOk;
}

// A session that is another program's now cannot be written by us as well.
aio::Task<Checked<>> check_registry(Process& process, const store::Assignment& task, const harness::Harness& harness) {
  if (!task.background || !harness.background() || task.session_id.empty()) co_return Checked<>{};
  const auto agents = co_await ask_registry(process, harness, 30'000);
  if (!agents) co_return refuse(kFailed, "the registry of background agents could not be asked: " + agents.error());
  for (const auto& agent : *agents)
    if (agent.session_id == task.session_id && agent.pid > 0)
      co_return refuse(kFailed, "session " + task.session_id + " of task '" + task.slug + "' is a background agent that is there (" + agent.id +
                                    "); talk to it with OUTLAST_TERM=bg, or stop it: " + std::string(harness.program()) + " stop " + agent.id);
  co_return Checked<>{};
}

aio::Task<Checked<>> end_live(Process& process, store::Run run) {
  co_await process.store->request_cancel(run.run_id);
  const auto until = process.time.steady_ms() + kEndMs;
  for (;;) {
    const auto now = co_await present(process, run.run_id);
    if (!now || run::is_terminal(now->status)) co_return Checked<>{};
    co_await keep_executed(process, *now);
    if (process.time.steady_ms() > until) co_return refuse(kFailed, "the old session's run " + run.run_id + " does not end; see `outlast status " + run.run_id + "`");
    co_await process.time.sleep(std::chrono::milliseconds(kLookMs));
  }
}

aio::Task<int> say_started(Process& process, const LaunchedTurn& launched, const Turn& turn, bool resumed, const std::string& discarded, bool json) {
  const auto run = co_await await_session(process, launched.run, launched.task.slug);
  auto task = co_await process.store->find_assignment(launched.task.slug);
  if (!task) co_return complain(kFailed, task.error().message);
  if (task->session_id.empty() && run::is_terminal(run.status)) {
    const auto why = co_await failure_of(process, run);
    co_return complain(kFailed, "the agent of task '" + task->slug + "' did not start: " + (why.empty() ? "it ended at once" : why) + "\nSee: outlast logs " + run.run_id);
  }
  if (const auto why = run::is_terminal(run.status) ? co_await failure_of(process, run) : ""; !why.empty())
    co_return complain(kFailed, "the agent of task '" + task->slug + "' ended: " + why + "\nSee: outlast logs " + run.run_id);
  if (!discarded.empty()) note("discarded session " + discarded);
  const auto session = task->session_id.empty() ? std::string("starting") : "session " + task->session_id;
  say_done(*task, resumed ? "resumed" : "started", std::string(resumed ? "Resumed " : "Started ") + task->slug + " (" + session + ")" + (turn.unattended ? ", unattended" : ""),
           run_hint(run.run_id), json);
  co_return kOk;
}

}  // namespace

aio::Task<int> do_supervised(Process& process, store::Assignment task, Turn turn, bool json) {
  std::string discarded;
  for (int round = 0; round < kRoundsMax; ++round) {
    auto run = co_await newest_run(process, task);
    if (run && !run::is_terminal(run->status)) {
      if (const auto spec = run::decode_spec(run->spec); spec && spec->harness && spec->harness->background)
        co_return complain(kFailed, "a background agent of task '" + task.slug + "' is being started or told something (run " + run->run_id + "); try again in a moment");
      if (!turn.fresh) {
        if (const auto code = co_await report_live(process, task, *run, turn, json)) co_return *code;
        turn.text.clear();  // it is kept in the session, for the turn that is launched next
        continue;
      }
      if (const auto ended = co_await end_live(process, *run); !ended) co_return complain(ended.error());
    }
    if (const auto ours = co_await check_registry(process, task, *turn.harness); !ours) co_return complain(ours.error());
    if (turn.fresh) discarded = task.session_id;
    const bool resumed = !turn.fresh && !task.session_id.empty();
    if (resumed && !has_transcript(process, task))
      co_return complain(kFailed, "the conversation of session " + task.session_id + " is gone (no transcript of it is found); begin a new one: outlast task do " + task.slug + " --fresh");
    const auto owner = co_await process.store->register_owner();
    auto launched = co_await launch_turn(process, task, turn, owner);
    if (!launched) co_return complain(launched.error());
    if (!launched->is_ours) {
      // Another command was first: its turn is the one, and what there is to say goes to it.
      task = launched->task;
      if (run::is_terminal(launched->run.status)) continue;
      if (turn.text.empty()) co_return co_await say_started(process, *launched, turn, resumed, "", json);
      turn.fresh = false;
      continue;
    }
    const auto executor = co_await start_executor(process, launched->run.run_id, "", owner);
    if (!executor) {
      co_await process.store->request_cancel(launched->run.run_id);
      co_return complain(executor.error());
    }
    co_return co_await say_started(process, *launched, turn, resumed, discarded, json);
  }
  co_return complain(kFailed, "task '" + task.slug + "' is being started and ended all the time; try again");
}

}  // namespace cli
