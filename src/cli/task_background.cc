// `task do` with $OUTLAST_TERM=bg: the agent is one of the harness's own background agents.
#include <algorithm>

#include "base/json.h"
#include "cli/launcher.h"
#include "cli/registry_query.h"
#include "cli/spawn.h"
#include "cli/store_command.h"
#include "cli/task_do.h"

namespace cli {

namespace {

constexpr std::int64_t kTurnMs = 150'000;     // until a turn of ours, or of another command, has ended
constexpr std::int64_t kLookMs = 40;
constexpr std::int64_t kReviveMs = 1'000;
constexpr int kRoundsMax = 20;

enum class Presence { none, live, at_rest, absent };

struct Bound {
  Presence presence = Presence::none;
  harness::Registered agent;
};

// How it stands with the session that the task is bound to.
aio::Task<Checked<Bound>> look_up(Process& process, const store::Assignment& task, const harness::Harness& harness) {
  if (task.session_id.empty()) co_return Bound{};
  const auto agents = co_await ask_registry(process, harness, kRegistryLaunchMs);
  if (!agents) co_return refuse(kFailed, "whether session " + task.session_id + " of task '" + task.slug + "' is there could not be found out, so nothing was started: " + agents.error());
  const auto found = std::ranges::find(*agents, task.session_id, &harness::Registered::session_id);
  if (found == agents->end()) co_return Bound{Presence::absent, {}};
  co_return Bound{is_there(*found, process.time.wall_ms()) ? Presence::live : Presence::at_rest, *found};
}

std::string label(const harness::Registered& agent) {
  if (agent.status.empty() && agent.state.empty()) return "unknown";
  if (agent.status.empty() || agent.state.empty()) return agent.status + agent.state;
  return agent.status + "/" + agent.state;
}

std::string list_hint(const harness::Harness& harness) { return std::string(harness.program()) + " agents"; }

// Waits for the end of a run; the present row after kTurnMs.
aio::Task<store::Run> await_end(Process& process, store::Run run) {
  const auto until = process.time.steady_ms() + kTurnMs;
  auto revive_ms = process.time.steady_ms() + kReviveMs;
  while (!run::is_terminal(run.status) && process.time.steady_ms() < until) {
    if (process.time.steady_ms() >= revive_ms) {
      if (co_await is_orphan(process, run.number)) co_await revive(process, run);
      revive_ms = process.time.steady_ms() + kReviveMs;
    }
    co_await process.time.sleep(std::chrono::milliseconds(kLookMs));
    const auto now = co_await present(process, run.run_id);
    if (!now) break;
    run = *now;
  }
  co_return run;
}

// What a turn that has ended came to.
aio::Task<int> say_turn(Process& process, std::string slug, store::Run run, const harness::Harness& harness, bool json) {
  const auto task = co_await process.store->find_assignment(std::move(slug));
  if (!task) co_return complain(kFailed, task.error().message);
  const auto last = run::decode(co_await process.store->last_event(run.number));
  if (const auto* done = last ? std::get_if<run::RunCompleted>(&last->payload) : nullptr; done && run.status == run::Status::completed) {
    say_done(*task, done->content.starts_with("Resumed") ? "resumed" : "started", done->content, "see it: " + list_hint(harness), json);
    co_return kOk;
  }
  if (!run::is_terminal(run.status)) {
    say_done(*task, "starting", task->slug + " is being started (run " + run.run_id + ")", "follow: outlast logs -f " + run.run_id, json);
    co_return kOk;
  }
  const auto* error = last ? std::get_if<run::RunError>(&last->payload) : nullptr;
  co_return complain(kFailed, "the background agent of task '" + task->slug + "' did not start: " + (error ? error->message : run.reason));
}

aio::Task<Checked<>> stop_agent(Process& process, const harness::Harness& harness, const harness::Registered& agent) {
  const auto stopped = co_await run_program(process, harness, harness.background()->stop(agent.id), kRegistryLaunchMs);
  if (stopped) co_return Checked<>{};
  co_return refuse(kFailed, "the old session " + agent.session_id + " could not be stopped: " + stopped.error());
}

// A message for an agent at work waits until it rests; the turn that gives it goes on without this command.
aio::Task<int> queue_turn(Process& process, store::Assignment task, Turn turn, bool json) {
  const auto owner = co_await process.store->register_owner();
  const auto launched = co_await launch_turn(process, std::move(task), std::move(turn), owner);
  if (!launched) co_return complain(launched.error());
  const auto executor = co_await start_executor(process, launched->run.run_id, "", owner);
  if (!executor) co_return complain(executor.error());
  say_done(launched->task, "queued", "Queued for " + launched->task.slug + ": it is told when its turn is over (session " + launched->task.session_id + ")",
           "follow: outlast logs -f " + launched->run.run_id, json);
  co_return kOk;
}

}  // namespace

aio::Task<int> do_in_background(Process& process, store::Assignment task, Turn turn, bool json) {
  std::string discarded;
  for (int round = 0; round < kRoundsMax; ++round) {
    // One turn at a time: what another command has begun comes to its end first.
    if (auto run = co_await newest_run(process, task); run && !run::is_terminal(run->status)) {
      const auto spec = run::decode_spec(run->spec);
      if (spec && spec->harness && !spec->harness->background)
        co_return complain(kFailed, "task '" + task.slug + "' has a supervised run that is not over (" + run->run_id + "); unset OUTLAST_TERM to talk to it, or stop it: outlast task stop " + task.slug);
      const bool says_more = !turn.text.empty() || turn.fresh;
      const auto ended = co_await await_end(process, *run);
      if (!says_more) co_return co_await say_turn(process, task.slug, ended, *turn.harness, json);
      if (!run::is_terminal(ended.status)) co_return complain(kFailed, "a turn of task '" + task.slug + "' is under way (" + ended.run_id + "); try again when it is over");
      auto now = co_await process.store->find_assignment(task.slug);
      if (!now) co_return complain(kFailed, now.error().message);
      task = *std::move(now);
      continue;
    }
    const auto bound = co_await look_up(process, task, *turn.harness);
    if (!bound) co_return complain(bound.error());
    if (bound->presence == Presence::live && turn.text.empty() && !turn.fresh) {
      say_done(task, "live", task.slug + " is open in your Agent View (" + bound->agent.id + ", " + label(bound->agent) + ") — run `" + list_hint(*turn.harness) + "` to view or reply", "", json);
      co_return kOk;
    }
    if (turn.fresh) {
      if (bound->presence == Presence::live)
        if (const auto stopped = co_await stop_agent(process, *turn.harness, bound->agent); !stopped) co_return complain(stopped.error());
      discarded = task.session_id;
    } else if (bound->presence == Presence::live && bound->agent.status != "idle") {
      co_return co_await queue_turn(process, std::move(task), std::move(turn), json);
    } else if (bound->presence == Presence::absent && !has_transcript(process, task)) {
      co_return complain(kFailed, "session " + task.session_id + " of task '" + task.slug + "' is gone, and no transcript of it is found; begin a new one: outlast task do " + task.slug + " --fresh");
    }
    const auto owner = co_await process.store->register_owner();
    auto launched = co_await launch_turn(process, task, turn, owner);
    if (!launched) co_return complain(launched.error());
    if (!launched->is_ours) {
      task = launched->task;
      if (turn.text.empty() && !turn.fresh) co_return co_await say_turn(process, task.slug, co_await await_end(process, launched->run), *turn.harness, json);
      turn.fresh = false;
      continue;
    }
    const auto executor = co_await start_executor(process, launched->run.run_id, "", owner);
    if (!executor) co_return complain(executor.error());
    const auto ended = co_await await_end(process, launched->run);
    if (!discarded.empty()) note("discarded session " + discarded);
    co_return co_await say_turn(process, task.slug, ended, *turn.harness, json);
  }
  co_return complain(kFailed, "task '" + task.slug + "' is being started and ended all the time; try again");
}

}  // namespace cli
