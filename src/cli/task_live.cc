#include "cli/task_live.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "cli/registry_query.h"
#include "cli/task_desk.h"

namespace cli {

namespace {

constexpr std::int64_t kLiveRunsMax = 10'000;
constexpr std::string_view kAbsent = "absent (not in the registry: removed, or of another machine)";

// A session that is supervised: one query for the live runs of all, and the children of only those that are wanted.
aio::Task<> look_at_runs(Process& process, const std::vector<store::Assignment>& tasks, std::vector<TaskNow>& now) {
  bool any = false;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].background) continue;
    now[i].live = false;
    any = any || !tasks[i].run_id.empty();
  }
  if (!any) co_return;
  store::RunFilter filter;
  filter.component_type = store::kKindHarness;
  filter.live_only = true;
  filter.limit = kLiveRunsMax;
  auto page = co_await process.store->list_runs(filter);
  std::unordered_map<std::string, store::Run> live;
  for (auto& run : page.items) live.emplace(run.run_id, std::move(run));
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].background) continue;
    const auto found = live.find(tasks[i].run_id);
    if (found == live.end()) continue;
    now[i].run = found->second;
    candidates.push_back(i);
  }
  if (candidates.empty()) co_return;
  const auto root = children_directory(process.settings);
  auto look = [&] {
    for (const auto i : candidates) {
      now[i].pids = process::Children::living(root, tasks[i].run_id);
      now[i].live = !now[i].pids.empty();
    }
  };
  aio::Offload blocking(1);
  co_await blocking.run(look);
}

// What the registry says of one session.
void tell(TaskNow& now, const store::Assignment& task, const std::vector<harness::Registered>& registry) {
  const auto found = std::ranges::find(registry, task.session_id, &harness::Registered::session_id);
  if (found == registry.end()) {
    now.live = false;
    now.bg_status = kAbsent;
    return;
  }
  now.live = found->pid > 0;
  now.bg_status = background_text({.status = found->status, .state = found->state, .id = found->id, .pid = found->pid});
}

// Sessions in the background: one question to each harness that has any of them.
aio::Task<> look_at_registries(Process& process, const std::vector<store::Assignment>& tasks, std::vector<TaskNow>& now) {
  std::map<std::string, std::vector<std::size_t>> by_harness;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (tasks[i].background && !tasks[i].session_id.empty()) by_harness[tasks[i].harness].push_back(i);
  for (const auto& [name, indexes] : by_harness) {
    const auto* harness = harness::find(name);
    if (!harness || !harness->background()) continue;
    const auto registry = co_await ask_registry(process, *harness, kRegistryGlanceMs);
    for (const auto i : indexes) {
      if (registry) {
        tell(now[i], tasks[i], *registry);
      } else {
        now[i].registry_failure = registry.error();
        now[i].bg_status = "unknown";
      }
    }
  }
}

}  // namespace

aio::Task<std::vector<TaskNow>> tasks_now(Process& process, const std::vector<store::Assignment>& tasks) {
  std::vector<TaskNow> now(tasks.size());
  co_await look_at_runs(process, tasks, now);
  if (in_background_mode(process.settings)) co_await look_at_registries(process, tasks, now);
  co_return now;
}

void note_registry_failure(const std::vector<TaskNow>& now) {
  const auto failed = std::ranges::find_if(now, [](const TaskNow& one) { return !one.registry_failure.empty(); });
  if (failed != now.end()) warn("no live information about background sessions: " + failed->registry_failure);
}

}  // namespace cli
