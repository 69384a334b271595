#include "cli/wait.h"

#include <algorithm>
#include <cmath>

#include "aio/task_group.h"
#include "base/json.h"
#include "cli/orphan_guard.h"
#include "cli/run_files.h"
#include "cli/run_json.h"
#include "cli/signals.h"
#include "cli/store_command.h"
#include "engine/projection_manifest.h"

namespace cli {

namespace {

constexpr double kSecondsMax = 1e9;

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

// The frozen line of the reference, or the object that says the same.
void tell(const Settings& settings, const store::Run& run, const std::string& reason, bool json) {
  const auto outcome = engine::outcome_of(run.status, run.reason);
  const auto artifacts = artifacts_of(settings, run);
  if (json) {
    put_line(base::to_text(
        boost::json::object{{"run_id", run.run_id},
                            {"status", run::name(run.status)},
                            {"reason", text_json(reason)},
                            {"artifact_dir", text_json(artifacts)},
                            {"exit_code", outcome.exit_code ? boost::json::value(*outcome.exit_code) : boost::json::value()}}));
    return;
  }
  put_line(run.run_id + "\tstatus=" + std::string(outcome.word) + "\treason=" + or_dash(reason) + "\tartifact_dir=" +
           or_dash(artifacts) + "\texit_code=" + (outcome.exit_code ? std::to_string(*outcome.exit_code) : "-"));
}

// What the waits of all ids have come to.
struct Waiting {
  std::size_t left = 0;  // not over yet
  bool some_failed = false, some_stuck = false, interrupted = false, timed_out = false;
  std::map<store::RunNumber, std::string> stuck;  // why nobody goes on with a run
};

aio::Task<> wake(Process& process, double interval_s) {
  for (;;) {
    co_await process.time.sleep(std::chrono::milliseconds(std::max<std::int64_t>(10, std::llround(interval_s * 1000))));
    process.logs->tick();
  }
}

aio::Task<> time_out(Process& process, double timeout_s, Waiting& waiting) {
  co_await process.time.sleep(std::chrono::milliseconds(std::llround(timeout_s * 1000)));
  waiting.timed_out = true;
  process.logs->tick();
}

// One run, to its end.
aio::Task<> wait_for_run(Process& process, store::Run run, const WaitOptions& options, Waiting& waiting, OrphanGuard& guard) {
  engine::LiveLogs::Reader reader(*process.logs, run.number);
  bool said_paused = false;
  for (;;) {
    const auto now = co_await present(process, run.run_id);
    if (!now || run::is_terminal(now->status)) {
      if (now) co_await files_settled(process, *now);
      if (now)
        tell(process.settings, *now, now->reason, options.json);
      else
        complain(kFailed, "run " + run.run_id + " was removed");
      waiting.some_failed |= !now || engine::outcome_of(now->status, now->reason).exit_code != kOk;
      break;
    }
    if (waiting.interrupted || waiting.timed_out) co_return;
    if (waiting.stuck.contains(run.number)) {
      tell(process.settings, *now, "run.waiting.no_executor", options.json);
      waiting.some_stuck = true;
      break;
    }
    if (now->status == run::Status::paused && !std::exchange(said_paused, true))
      note("run " + run.run_id + " is paused: it waits for a decision: outlast approve " + run.run_id);
    // What is committed by now is read off, so that the wait ends with the next growth.
    co_await reader.read(now->event_count);
    co_await reader.wait(now->event_count);
  }
  guard.forget(run.number);
  --waiting.left;
}

aio::Task<int> wait_all(Process& process, std::vector<store::Run> runs, const WaitOptions& options) {
  Waiting waiting{.left = runs.size(), .stuck = {}};
  OrphanGuard guard(
      process, [](const store::Run&, const std::string& what) { note(what); },
      [&](const store::Run& run, const std::string& why) {
        waiting.stuck.emplace(run.number, why);
        process.logs->tick();
      });
  const auto failed = [](const std::string& name, const std::string& what) { warn(name + ": " + what); };
  aio::TaskGroup waits(process.io, failed), others(process.io, failed);
  for (const auto& run : runs) guard.watch(run);
  for (auto& run : runs) waits.spawn("wait", wait_for_run(process, std::move(run), options, waiting, guard));
  others.spawn("wake", wake(process, options.interval_s));
  others.spawn("guard", guard.stand());
  if (options.timeout_s) others.spawn("timeout", time_out(process, *options.timeout_s, waiting));
  {
    const Signals signals(process.io, [&](int) {
      waiting.interrupted = true;
      process.logs->tick();
    });
    co_await waits.join();
  }
  others.cancel();
  co_await others.join();
  if (waiting.timed_out && waiting.left) note("the time is over; " + std::to_string(waiting.left) + " still running");
  if (waiting.left || waiting.some_stuck) co_return kStillRunning;
  co_return waiting.some_failed ? kFailed : kOk;
}

aio::Task<int> wait(Process& process, const WaitOptions& options) {
  std::vector<store::Run> runs;
  int unknown = kOk;
  for (const auto& id : options.ids) {
    auto run = co_await resolve_run(process, id);
    if (!run)
      unknown = complain(run.error());
    else if (std::ranges::none_of(runs, [&run](const store::Run& r) { return r.number == run->number; }))
      runs.push_back(std::move(*run));
  }
  const auto code = runs.empty() ? kOk : co_await wait_all(process, std::move(runs), options);
  co_return unknown != kOk ? unknown : code;
}

}  // namespace

int run_wait(const WaitOptions& options) {
  if (options.timeout_s && (!(*options.timeout_s >= 0) || *options.timeout_s > kSecondsMax))
    return complain(kUsage, "--timeout: write a number of seconds, 0 or more");
  if (!(options.interval_s > 0) || options.interval_s > kSecondsMax)
    return complain(kUsage, "--interval: write a number of seconds above 0");
  return with_store([&options](Process& process) { return wait(process, options); });
}

}  // namespace cli
