#include "cli/named_run.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "cli/session_of.h"
#include "cli/store_command.h"
#include "store/liveness.h"

namespace cli {

namespace {

constexpr std::int64_t kPidMax = 4'194'304;  // the kernel's; no beginning of a run id of eight digits is one
constexpr std::size_t kLooksMax = 100;       // at the runs of one process: a server's are ambiguous long before
constexpr std::size_t kCandidates = 5;

std::optional<std::int64_t> read_pid(const std::string& text) {
  std::int64_t pid = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, pid);
  if (read.ec != std::errc{} || read.ptr != end || pid < 1 || pid > kPidMax) return std::nullopt;
  return pid;
}

// What a living process of this machine executes, without what these runs have started themselves.
aio::Task<std::vector<store::Run>> runs_of_process(Process& process, std::int64_t pid) {
  const auto here = store::this_process().host;
  std::vector<store::Run> runs;
  for (const auto& holder : co_await process.store->holders()) {
    if (!holder.lives || holder.owner.pid != pid || holder.owner.host != here) continue;
    for (const auto& id : holder.run_ids)
      if (runs.size() < kLooksMax)
        if (auto run = co_await present(process, id)) runs.push_back(std::move(*run));
  }
  std::unordered_set<std::string> ids;
  for (const auto& run : runs) ids.insert(run.run_id);
  std::erase_if(runs, [&ids](const store::Run& run) { return ids.contains(run.parent_run_id); });
  co_return runs;
}

base::Result<store::Run> ambiguous(const std::string& name, const std::vector<store::Run>& candidates) {
  std::string text = "'" + name + "' is ambiguous; it could be";
  for (std::size_t i = 0; i < std::min(candidates.size(), kCandidates); ++i)
    text +=
        "\n  " + candidates[i].run_id + "  " + std::string(run::name(candidates[i].status)) + "  " + candidates[i].component_name;
  if (candidates.size() > kCandidates) text += "\n  ...";
  return base::fail(base::Errc::ambiguous, std::move(text));
}

}  // namespace

aio::Task<base::Result<store::Run>> named_run(Process& process, std::string name) {
  auto found = co_await process.store->resolve_run(name);
  if (found && (found->run_id == name || found->session_id == name)) co_return found;
  if (const auto pid = read_pid(name)) {
    auto runs = co_await runs_of_process(process, *pid);
    // The beginning of one run's id and the PID of another's process: neither is more likely meant.
    if (found && !runs.empty() && std::ranges::none_of(runs, [&](const store::Run& run) { return run.number == found->number; }))
      runs.push_back(*found);
    if (runs.size() > 1) co_return ambiguous(name, runs);
    if (runs.size() == 1) co_return std::move(runs.front());
    if (!found && found.error().code == base::Errc::not_found)
      co_return base::fail(base::Errc::not_found,
                           "no run or session begins with '" + name + "', and no process " + name + " executes one");
  }
  if (!found && found.error().code == base::Errc::not_found)
    if (auto member = co_await run_of_agent(process, name)) co_return std::move(*member);
  co_return found;
}

}  // namespace cli
