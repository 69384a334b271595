#include "cli/rm.h"

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "cli/run_end.h"
#include "cli/run_files.h"
#include "cli/store_command.h"

namespace cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kOperationsMax = 10'000;  // of one flow, with all that they have started

// Live runs that keep their files in this run's directory.
aio::Task<std::string> live_guest(Process& process, const store::Run& run) {
  store::RunFilter filter;
  filter.group_id = run.run_id;
  filter.live_only = true;
  filter.limit = 2;
  const auto guests = co_await process.store->list_runs(filter);
  for (const auto& guest : guests.items)
    if (guest.number != run.number) co_return guest.run_id;
  co_return std::string();
}

// What a run's commands wrote, then the run.
aio::Task<Checked<>> remove_record(Process& process, const store::Run& run) {
  std::error_code ec;
  const auto outputs = children_directory(process.settings) + "/" + run.run_id;
  fs::remove_all(outputs, ec);
  if (ec) co_return refuse(kFailed, "cannot remove " + outputs + ": " + ec.message());
  const auto removed = co_await process.store->remove_run(run.number);
  if (!removed) co_return refuse(kFailed, "run " + run.run_id + ": " + removed.error().message);
  co_return Checked<>{};
}

// The operations of a flow go with it, but for those of agents that somebody has talked to since: they are their past.
aio::Task<Checked<>> remove_operations(Process& process, const store::Run& flow) {
  const auto below = co_await process.store->descendants(flow.number, kOperationsMax);
  for (const auto& run : below) {
    store::RunFilter newest;
    newest.session_id = run.session_id;
    newest.except_type = store::kKindTool;
    newest.limit = 1;
    const auto last = co_await process.store->list_runs(newest);
    const bool talked_to = !last.items.empty() && last.items.front().number != flow.number &&
                           std::ranges::find(below, last.items.front().number, &store::Run::number) == below.end();
    if (talked_to) continue;
    if (auto done = co_await remove_record(process, run); !done) co_return done;
  }
  co_return Checked<>{};
}

aio::Task<int> remove(Process& process, store::Run run, bool json) {
  if (const auto guest = co_await live_guest(process, run); !guest.empty())
    co_return complain(
        kFailed, "run " + guest + " has joined " + run.run_id + " and is still live; cancel it first: outlast cancel " + guest);
  // Files first: a crash in between leaves a run that can be removed again, not files that nobody knows. A run that has joined
  // another's directory leaves that one's alone.
  co_await files_settled(process, run);
  if (run.group_id == run.run_id) {
    std::error_code ec;
    fs::remove_all(run_directory(process.settings, run.run_id), ec);
    if (ec) co_return complain(kFailed, "cannot remove " + run_directory(process.settings, run.run_id) + ": " + ec.message());
  }
  if (run.kind == store::kKindFlow || run.kind == store::kKindFanout)
    if (const auto done = co_await remove_operations(process, run); !done) co_return complain(done.error());
  if (const auto done = co_await remove_record(process, run); !done) co_return complain(done.error());
  put_line(json ? base::to_text(boost::json::object{{"run_id", run.run_id}, {"removed", true}}) : "removed " + run.run_id);
  co_return kOk;
}

aio::Task<int> remove_one(Process& process, const RmOptions& options, std::string id) {
  auto run = co_await resolve_run(process, std::move(id));
  if (!run) co_return complain(run.error());
  if (!run::is_terminal(run->status)) {
    const auto status = std::string(run::name(run->status));
    if (!options.force)
      co_return complain(kFailed, "run " + run->run_id + " is " + status +
                                      "; only finished runs are removed: outlast rm --force cancels it first");
    auto now = co_await cancel_and_wait(process, *run);
    if (now && !run::is_terminal(now->status))
      co_return complain(kStillRunning,
                         "run " + run->run_id + " has not ended yet; try again: outlast rm --force " + run->run_id);
    if (!now) co_return kOk;
    *run = std::move(*now);
  }
  co_return co_await remove(process, std::move(*run), options.json);
}

aio::Task<int> rm(Process& process, const RmOptions& options) {
  int code = kOk;
  for (const auto& id : options.ids) {
    const auto one = co_await remove_one(process, options, id);
    if (one != kOk && code != kUsage) code = one;
  }
  co_await stop_executing(process);
  co_return code;
}

}  // namespace

int run_rm(const RmOptions& options) {
  return with_store([&options](Process& process) { return rm(process, options); });
}

}  // namespace cli
