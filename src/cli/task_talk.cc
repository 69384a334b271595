#include "cli/task_talk.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cli/decision.h"
#include "cli/registry_query.h"
#include "cli/launcher.h"
#include "cli/spawn.h"
#include "cli/store_command.h"
#include "cli/task_check.h"
#include "cli/task_do.h"
#include "cli/task_worktree.h"
#include "engine/harness_execution.h"
#include "run/question.h"

namespace cli {

namespace {

constexpr std::int64_t kEndMs = 30'000;
constexpr std::int64_t kLookMs = 40;
constexpr std::int64_t kCloseOutMs = 300'000;

std::optional<std::string> own(const std::string& ref) { return ref.empty() ? std::nullopt : std::optional(ref); }

// A run of the task that has not ended; a failure says how to start one.
aio::Task<Checked<store::Run>> live_run(Process& process, const store::Assignment& task) {
  auto run = co_await newest_run(process, task);
  if (run && !run::is_terminal(run->status)) co_return *std::move(run);
  co_return refuse(kFailed, "no agent of task '" + task.slug + "' is at work; bring it back: outlast task do " + task.slug);
}

aio::Task<int> send(Process& process, const TaskSendOptions& options) {
  const auto text = std::string(base::trim(options.text));
  if (text.empty()) co_return complain(kUsage, "the message is empty; write what the agent is to be told");
  const auto task = co_await find_task(process, options.ref);
  if (!task) co_return complain(task.error());
  const auto run = co_await live_run(process, *task);
  if (!run) {
    // There is nobody to tell: what brings the agent back tells it.
    TaskDoOptions again;
    again.ref = task->slug;
    again.with = text;
    again.json = options.json;
    co_return co_await task_do(process, again);
  }
  Turn turn{.harness = harness::find(task->harness.empty() ? "claude" : task->harness), .text = text};
  turn.background = in_background_mode(process.settings) && task->background;
  auto doing = turn.background ? do_in_background(process, *task, std::move(turn), options.json) : do_supervised(process, *task, std::move(turn), options.json);
  co_return co_await std::move(doing);
}

aio::Task<int> decide_for(Process& process, const TaskDecideOptions& options) {
  const auto task = co_await find_task(process, options.ref);
  if (!task) co_return complain(task.error());
  const auto run = co_await live_run(process, *task);
  if (!run) co_return complain(run.error());
  const auto calls = co_await waiting_calls(process, *run);
  if (!calls) co_return complain(kFailed, "task '" + task->slug + "' waits for no decision");
  std::vector<run::Decision> decisions;
  for (const auto& call : *calls) decisions.push_back({.call_id = call.id, .approved = !options.deny, .note = options.note});
  if (const auto decided = co_await decide(process, *run, std::move(decisions)); !decided) co_return complain(decided.error());
  for (const auto& call : *calls) {
    const auto* word = options.deny ? "denied" : "approved";
    if (options.json)
      put_line(base::to_text(boost::json::object{{"task", task->slug}, {"run_id", run->run_id}, {"call_id", call.id}, {"tool", call.name}, {"decision", word}}));
    else
      put_line(std::string(word) + " " + call.name + " " + one_line(call.arguments, 100));
  }
  const auto executed = co_await see_executed(process, *run);
  co_return executed ? kOk : complain(executed.error());
}

aio::Task<bool> ends(Process& process, const store::Run& run) {
  const auto until = process.time.steady_ms() + kEndMs;
  while (process.time.steady_ms() < until) {
    const auto now = co_await present(process, run.run_id);
    if (!now || run::is_terminal(now->status)) co_return true;
    if (co_await is_orphan(process, run.number)) co_await revive(process, *now);
    co_await process.time.sleep(std::chrono::milliseconds(kLookMs));
  }
  co_return false;
}

// Stopping twice is stopping once. A session can always be brought back.
aio::Task<int> stop(Process& process, const TaskStopOptions& options) {
  const auto task = co_await find_task(process, options.ref);
  if (!task) co_return complain(task.error());
  std::string what = "nothing of task '" + task->slug + "' is at work";
  const auto run = co_await newest_run(process, *task);
  if (run && !run::is_terminal(run->status)) {
    co_await process.store->request_cancel(run->run_id);
    if (!co_await ends(process, *run)) co_return complain(kFailed, "run " + run->run_id + " does not end; see `outlast status " + run->run_id + "`");
    what = "Stopped " + task->slug + (task->session_id.empty() ? "" : " (session " + task->session_id + ")");
  }
  const auto* harness = harness::find(task->harness);
  if (task->background && harness && harness->background() && !task->session_id.empty()) {
    const auto agents = co_await ask_registry(process, *harness, kRegistryLaunchMs);
    if (!agents) co_return complain(kFailed, "whether its background agent is there could not be found out: " + agents.error());
    const auto found = std::ranges::find(*agents, task->session_id, &harness::Registered::session_id);
    if (found != agents->end() && is_there(*found, process.time.wall_ms())) {
      const auto stopped = co_await run_program(process, *harness, harness->background()->stop(found->id), kRegistryLaunchMs);
      if (!stopped) co_return complain(kFailed, "its background agent could not be stopped: " + stopped.error());
      what = "Stopped " + task->slug + " (" + found->id + ")";
    }
  }
  say_done(*task, "stopped", what, "bring it back: outlast task do " + task->slug, options.json);
  co_return kOk;
}

// The last turn of a task's session: a run like any other, with a time limit; the task is done whatever becomes of it.
aio::Task<Checked<std::string>> close_out(Process& process, store::Assignment task) {
  const auto text = "The task " + task.slug + " is done. Write a closing update for whoever picks this up later, as a new file in " + task_updates(task) +
                    ": what was done, what is left, what was surprising. Change nothing else.";
  if (auto run = co_await newest_run(process, task); run && !run::is_terminal(run->status)) {
    if (task.background) co_return refuse(kFailed, "its background agent is being told something");
    co_await leave_message(process, *run, text);
    co_return run->run_id;
  }
  if (task.background) co_return refuse(kFailed, "its session is a background agent of its own");
  if (!has_transcript(process, task)) co_return refuse(kFailed, "the conversation of its session is gone");
  const auto* harness = harness::find(task.harness);
  if (!harness) co_return refuse(kFailed, "no harness '" + task.harness + "'");
  const auto owner = co_await process.store->register_owner();
  auto launched = co_await launch_turn(process, std::move(task), {.harness = harness, .text = text, .closes = true, .limit_ms = kCloseOutMs}, owner);
  if (!launched) co_return std::unexpected(launched.error());
  const auto executor = co_await start_executor(process, launched->run.run_id, "", owner);
  if (!executor) co_return std::unexpected(executor.error());
  co_return launched->run.run_id;
}

aio::Task<int> done(Process& process, const TaskDoneOptions& options) {
  const auto task = co_await task_of(process, own(options.ref));
  if (!task) co_return complain(task.error());
  // The agent itself says so: it is writing its last words anyway, and may be quicker than the record of its session.
  const bool inside = process.settings.environment("OUTLAST_TASK") == task->slug;
  if (task->session_id.empty() && !(inside && !task->run_id.empty()))
    co_return complain(kFailed, "task '" + task->slug + "' never had a session, so there is nothing to close; start it: outlast task do " + task->slug +
                                    ", or bind the session you are in: outlast task do " + task->slug + " --here");
  const bool was_done = task->status == store::AssignmentStatus::done;
  // A person's word is enough; an agent's is not, where a check is to say so.
  if (inside && !was_done)
    if (const auto passed = co_await pass_check(*task); !passed) co_return complain(passed.error());
  const TaskChange mark = [](store::Assignment& one, TaskEntries& entries) -> Checked<> {
    if (one.status == store::AssignmentStatus::done) return {};
    entries.push_back({.type = "status", .data = base::to_text(boost::json::object{{"from", store::name(one.status)}, {"to", "done"}})});
    one.status = store::AssignmentStatus::done;
    return {};
  };
  auto changed = co_await change_task(process, *task, mark);
  if (!changed) co_return complain(changed.error());
  std::string close_out_run;
  if (!was_done && !inside && !options.no_close_out) {
    auto closing = co_await close_out(process, *changed);
    if (closing)
      close_out_run = *closing;
    else
      warn("task '" + changed->slug + "' is done; its closing update is not being written: " + closing.error().message);
  }
  if (close_out_run.empty() && !inside) co_await tidy_worktree_of(process, *changed);
  const auto hint = close_out_run.empty() ? "" : "its closing update is being written: outlast logs -f " + close_out_run;
  say_done(*changed, "done", changed->slug + (was_done ? " was done already" : " is done"), hint, options.json);
  co_return kOk;
}

}  // namespace

int run_task_send(const TaskSendOptions& options) {
  return with_store([&options](Process& process) { return send(process, options); });
}
int run_task_decide(const TaskDecideOptions& options) {
  return with_store([&options](Process& process) { return decide_for(process, options); });
}
int run_task_stop(const TaskStopOptions& options) {
  return with_store([&options](Process& process) { return stop(process, options); });
}
int run_task_done(const TaskDoneOptions& options) {
  return with_store([&options](Process& process) { return done(process, options); });
}

}  // namespace cli
