#include "engine/notices.h"

#include "base/json.h"
#include "engine/tasks.h"
#include "tool/task_result.h"

namespace engine {

namespace {

constexpr std::size_t kAtOnce = 50;       // more follow with the next turn
constexpr std::size_t kRecentLines = 20;  // of the output that showed a pattern

aio::Task<std::string> words(Deps& deps, const store::Notice& notice) {
  auto run = co_await deps.store.find_run(notice.task_id);
  if (!run) co_return "[BACKGROUND TASK FAILED] task_id=" + notice.task_id + "\noutput:\nthe task was removed";
  const auto task = co_await view_task(deps, std::move(*run), true);
  if (notice.kind != store::kNoticeReady) co_return tool::ended_notice(task);
  std::string recent;
  if (auto* tool = deps.tools.find(task.name)) {
    const tool::Context call{.run_id = task.task_id, .call_id = std::string(kTaskCallId)};
    if (const auto output = co_await tool->output(call, kRecentLines)) recent = base::text_or_empty(*output, "stdout");
  }
  co_return tool::ready_notice(task, notice.detail, recent, notice.created_ms);
}

}  // namespace

aio::Task<std::vector<std::pair<std::int64_t, run::Notice>>> waiting_notices(Deps& deps, store::SessionNumber session) {
  std::vector<std::pair<std::int64_t, run::Notice>> told;
  for (const auto& notice : co_await deps.store.notices(session)) {
    if (told.size() == kAtOnce) break;
    told.emplace_back(notice.number, run::Notice{notice.task_id, co_await words(deps, notice)});
  }
  co_return told;
}

}  // namespace engine
