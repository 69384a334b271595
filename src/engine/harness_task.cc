#include "engine/harness_task.h"

#include "base/json.h"

namespace engine {

namespace {
constexpr int kChangesMax = 20;  // who is always overtaken gives up: the next look tries again
}

aio::Task<> bind_session(store::Store& store, const store::Run& run, const run::HarnessSpec& spec, const run::HarnessState& state) {
  if (spec.task.empty()) co_return;
  for (int tries = 0; tries < kChangesMax; ++tries) {
    auto task = co_await store.find_assignment(spec.task);
    // Removed, or another run's by now.
    if (!task || task->slug != spec.task || task->run_id != run.run_id) break;
    const auto begun = state.process_ms;
    auto& at = state.process->resumes ? task->session_resumed_ms : task->session_started_ms;
    if (task->session_id == state.session_id && at >= begun && task->status != store::AssignmentStatus::backlog) break;
    boost::json::object entry{{"session_id", state.session_id}, {"run_id", run.run_id}};
    if (!task->session_id.empty() && task->session_id != state.session_id) entry["before"] = task->session_id;
    if (state.process->resumes) entry["resumed"] = true;
    task->session_id = state.session_id;
    task->harness = spec.harness;
    task->background = spec.background;
    if (task->status == store::AssignmentStatus::backlog) task->status = store::AssignmentStatus::in_progress;
    at = std::max(begun, at);
    std::vector<store::AssignmentEntry> entries{{.type = "session", .data = base::to_text(entry)}};
    const auto changed = co_await store.change_assignment(*std::move(task), std::move(entries));
    if (changed || changed.error().code != base::Errc::conflict) break;
  }
}

aio::Task<bool> is_done(store::Store& store, const run::HarnessSpec& spec) {
  if (spec.task.empty()) co_return false;
  const auto task = co_await store.find_assignment(spec.task);
  co_return task && task->slug == spec.task && task->status == store::AssignmentStatus::done;
}

}  // namespace engine
