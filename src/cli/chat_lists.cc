#include "cli/chat_lists.h"

#include <algorithm>

#include "cli/output.h"
#include "cli/store_command.h"
#include "run/spec.h"

namespace cli {

namespace {

constexpr std::int64_t kTasksShown = 20, kRunsAtOnce = 20;
constexpr std::size_t kCallColumns = 80;

std::string call_of(const store::Run& task) {
  const auto spec = run::decode_spec(task.spec);
  if (!spec || !spec->call) return task.component_name;
  return spec->call->name + " " + one_line(spec->call->arguments, kCallColumns);
}

std::string words(const store::Notice& notice, const std::optional<store::Run>& task) {
  auto text = "✉ task " + notice.task_id;
  if (notice.kind == store::kNoticeReady)
    text += " showed '" + one_line(notice.detail, 40) + "'";
  else
    text += task ? " ended: " + std::string(run::name(task->status)) : " was removed";
  return task ? text + " · " + call_of(*task) : text;
}

}  // namespace

aio::Task<std::vector<std::string>> news_of_tasks(Process& process, std::string session_id, std::set<std::int64_t>& told) {
  std::vector<std::string> lines;
  const auto session = co_await process.store->find_session(session_id);
  if (!session) co_return lines;
  for (const auto& notice : co_await process.store->notices(session->number)) {
    if (!told.insert(notice.number).second) continue;
    const auto task = co_await present(process, notice.task_id);
    lines.push_back(words(notice, task));
  }
  co_return lines;
}

aio::Task<std::vector<store::Run>> runs_after(Process& process, std::string session_id, store::RunNumber seen) {
  store::RunFilter filter;
  filter.except_type = store::kKindTool;
  filter.session_id = std::move(session_id);
  filter.limit = kRunsAtOnce;
  auto page = co_await process.store->list_runs(filter);
  std::erase_if(page.items, [seen](const store::Run& run) { return run.number <= seen; });
  std::ranges::reverse(page.items);
  co_return std::move(page.items);
}

aio::Task<> show_tasks(Process& process, std::string session_id) {
  store::RunFilter filter;
  filter.component_type = store::kKindTool;
  filter.session_id = session_id;
  filter.limit = kTasksShown;
  store::Page<store::Run> page;
  if (!session_id.empty()) page = co_await process.store->list_runs(filter);
  if (page.items.empty()) note("no background tasks");
  const auto now = process.time.wall_ms();
  for (const auto& task : page.items)
    put_line(task.run_id + "  " + padded(run::name(task.status), 9) + "  " + padded(age(task.created_ms, now), 4) + "  " + call_of(task));
}

}  // namespace cli
