#include "engine/notices.h"

#include "base/json.h"
#include "engine/tasks.h"
#include "tool/task_result.h"

namespace engine {

namespace {

constexpr std::size_t kAtOnce = 50;  // more follow with the next turn
constexpr std::int64_t kArrivalMs = 2'000, kArrivalStepMs = 20;
constexpr std::size_t kRecentLines = 20;  // of the output that showed a pattern

aio::Task<std::string> words(Deps& deps, const store::Notice& notice) {
  if (notice.kind == store::kNoticeSaid) co_return notice.detail;
  auto run = co_await deps.store.find_run(notice.task_id);
  if (!run) co_return "[BACKGROUND TASK FAILED] task_id=" + notice.task_id + "\noutput:\nthe task was removed";
  const auto call = call_of(*run);
  const auto task = co_await view_task(deps, std::move(*run), true);
  if (notice.kind == store::kNoticeUpdate)
    co_return tool::update_notice(task, notice.detail.substr(notice.detail.find(' ') + 1), notice.created_ms);
  if (notice.kind != store::kNoticeReady) co_return tool::ended_notice(task);
  std::string recent;
  if (auto* tool = deps.tools.find(task.name)) {
    if (const auto output = co_await tool->output(call, kRecentLines)) recent = base::text_or_empty(*output, "stdout");
  }
  co_return tool::ready_notice(task, notice.detail, recent, notice.created_ms);
}

// Of the session's live tasks, one whose process has ended.
aio::Task<bool> an_end_is_due(Deps& deps, const store::Run& run, const std::vector<store::Run>& tasks) {
  for (const auto& task : tasks) {
    auto* tool = deps.tools.find(task.component_name);
    if (!tool || task.run_id == run.run_id) continue;
    const auto output = co_await tool->output({.run_id = task.run_id, .call_id = std::string(kTaskCallId)}, 0);
    if (output && output->contains("ended")) co_return true;
  }
  co_return false;
}

// Lets ends that are due arrive.
aio::Task<store::Surroundings> look_around(Deps& deps, const store::Run& run, const std::optional<store::MemoryFilter>& memory) {
  const auto until = deps.time.steady_ms() + kArrivalMs;
  for (;;) {
    auto found = co_await deps.store.surroundings(run.session, memory);
    if (deps.time.steady_ms() >= until || !co_await an_end_is_due(deps, run, found.live_tasks)) co_return found;
    co_await aio::wait_for(deps.time, deps.logs.ended(), std::chrono::milliseconds(kArrivalStepMs));
  }
}

}  // namespace

aio::Task<News> look_for_news(Deps& deps, const store::Run& run, std::optional<store::MemoryFilter> memory) {
  auto found = co_await look_around(deps, run, memory);
  News news{.notices = {}, .memory = std::move(found.memory)};
  for (const auto& notice : found.notices) {
    if (news.notices.size() == kAtOnce) break;
    news.notices.emplace_back(notice.number, run::Notice{notice.task_id, co_await words(deps, notice)});
  }
  co_return news;
}

}  // namespace engine
