#include "cli/launcher.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/ids.h"
#include "cli/agent_request.h"
#include "cli/last_branch.h"
#include "cli/spawn.h"
#include "cli/store_command.h"
#include "engine/projection_files.h"
#include "run/event.h"
#include "store/liveness.h"

namespace cli {

namespace {

constexpr std::string_view kNeverDispatched = "run.failed.never_dispatched";

// The id of the run to join, where the environment names one.
Checked<std::string> joined_run(const Settings& settings) {
  for (const auto* name : {"OUTLAST_RUN_ID", "LIONAGI_RUN_ID"}) {
    const auto id = settings.environment(name);
    if (!id || id->empty()) continue;
    if (!base::valid_run_id(*id))
      return refuse(kUsage, std::string(name) + " is no run id: write 1-64 of A-Za-z0-9._- or unset it");
    return *id;
  }
  return std::string();
}

// A place where the run's files can be, before anything is durable.
Checked<> check_runs_directory(const Settings& settings) {
  const auto runs = settings.home + "/runs";
  if (mkdir(runs.c_str(), 0700) == 0 || (errno == EEXIST && access(runs.c_str(), W_OK | X_OK) == 0)) return {};
  return refuse(kUnusable, runs + " cannot be written: " + std::strerror(errno) + "; set OUTLAST_HOME to a writable directory");
}

// In a group of its own, or of the run that is to be joined; where that is not there yet, as that run.
aio::Task<Checked<store::Launched>> launch(Process& process, engine::LaunchRequest request, std::string group,
                                           store::OwnerNumber owner) {
  if (!group.empty() && !co_await present(process, group)) {
    auto first = request;
    first.run_id = first.group_id = group;
    auto launched = co_await process.store->launch(engine::make_launch(first, process.time, process.random, owner));
    if (launched.known == store::Known::fresh) co_return launched;
  }
  auto launch = engine::make_launch(request, process.time, process.random, owner);
  launch.group_id = group.empty() ? launch.run_id : group;
  co_return co_await process.store->launch(std::move(launch));
}

// Ends a run that this process still holds and nobody will execute.
aio::Task<> end_undispatched(Process& process, store::Run run, std::string why) {
  store::Append append;
  append.run = run.number;
  append.epoch = run.epoch;
  append.first = run.event_count;
  append.now_ms = process.time.wall_ms();
  append.lines = run::encode({append.now_ms, run::RunError{run::Cause::worker_lost, std::move(why)}}) + "\n";
  append.count = 1;
  append.status = run::Status::error;
  append.reason = kNeverDispatched;
  // Refused when another process has it after all: then there is nothing to end.
  co_await process.store->append(std::move(append));
}

// Two commands may have continued one branch at the same moment: the later run goes, as if it had never been.
aio::Task<std::optional<store::Run>> earlier_leg(Process& process, store::Run run) {
  store::RunFilter filter;
  filter.except_type = store::kKindTool;
  filter.session_id = run.session_id;
  filter.live_only = true;
  filter.ascending = true;
  filter.limit = 1;
  const auto live = co_await process.store->list_runs(filter);
  if (live.items.empty() || live.items.front().number >= run.number) co_return std::nullopt;
  co_await end_undispatched(process, run, "the branch has a live run");
  co_await process.store->remove_run(run.number);
  co_return live.items.front();
}

// The directory with its manifest, and the pointers to the new leg.
Checked<> prepare_files(Process& process, const store::Run& run, const engine::RunDirectory& directory, const run::Spec& spec,
                        std::vector<std::string> command) {
  try {
    directory.make();
    directory.tell({.run = run,
                    .spec = spec,
                    .process = store::this_process(),
                    .directory = directory.path(),
                    .command = std::move(command)});
    std::error_code ec;
    LastBranch(process.settings.home).use(std::filesystem::current_path(ec).string(), run.run_id, run.session_id);
  } catch (const std::exception& error) {
    return refuse(kUnusable, error.what());
  }
  return {};
}

// What the manifest says when no executor will ever tell it.
void tell_end(Process& process, const store::Run& run, const engine::RunDirectory& directory, const run::Spec& spec) {
  try {
    directory.tell({.run = run, .spec = spec, .process = store::this_process(), .directory = directory.path(), .command = {}});
  } catch (const std::exception& error) {
    warn(error.what());
  }
  std::error_code ec;
  std::filesystem::remove(process.settings.home + "/runs/" + run.run_id, ec);  // only if nothing could be written into it
}

}  // namespace

aio::Task<Checked<LaunchedRun>> launch_detached(Process& process, engine::LaunchRequest request,
                                                std::vector<std::string> command) {
  const auto group = joined_run(process.settings);
  if (!group) co_return std::unexpected(group.error());
  if (const auto writable = check_runs_directory(process.settings); !writable) co_return std::unexpected(writable.error());
  const auto spec = request.spec;
  const auto owner = co_await process.store->register_owner();
  auto launched = co_await launch(process, std::move(request), *group, owner);
  if (!launched) co_return std::unexpected(launched.error());
  const auto run = launched->run;
  if (const auto other = co_await earlier_leg(process, run)) co_return std::unexpected(live_leg(*other));
  const engine::RunDirectory directory(process.settings.home + "/runs", run.group_id);
  const auto prepared = prepare_files(process, run, directory, spec, std::move(command));
  std::optional<Failure> failure;
  LaunchedRun out{.run = run, .directory = directory.path()};
  if (prepared) {
    const auto started = co_await start_executor(process, run.run_id, directory.path(), owner);
    if (started)
      out.pid = started->pid;
    else
      failure = started.error();
  } else {
    failure = prepared.error();
  }
  if (!failure) co_return out;
  co_await end_undispatched(process, run, failure->message);
  const auto now = co_await present(process, run.run_id);
  // A child that was merely slow has it now.
  if (now && (!run::is_terminal(now->status) || now->reason != kNeverDispatched)) co_return out;
  if (now) tell_end(process, *now, directory, spec);
  co_return refuse(failure->code, failure->message + "\nrun " + run.run_id + " was ended: nothing ran");
}

aio::Task<Checked<>> revive(Process& process, store::Run run) {
  std::string files;
  if (!run.group_id.empty()) {
    const engine::RunDirectory directory(process.settings.home + "/runs", run.group_id);
    std::string broken;
    try {
      directory.make();
      files = directory.path();
    } catch (const std::exception& error) {
      broken = error.what();
    }
    if (!broken.empty()) co_return refuse(kUnusable, broken);
  }
  const auto started = co_await start_executor(process, run.run_id, files, 0);
  if (!started) co_return std::unexpected(started.error());
  co_return Checked<>{};
}

}  // namespace cli
