#include <algorithm>

#include "base/json.h"
#include "run/wrapped_call.h"
#include "tool/task_result.h"
#include "tool/task_tools.h"

namespace tool {

namespace json = boost::json;

namespace {

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "actions": {
      "type": "array", "minItems": 1, "maxItems": 50, "description": "The calls to make at the same time.",
      "items": {
        "type": "object",
        "properties": {
          "name": {"type": "string", "description": "The tool."},
          "params": {"type": "object", "description": "Its arguments."}
        },
        "required": ["name"]
      }
    }
  },
  "required": ["actions"]
})";

constexpr std::size_t kActionsMax = 50;
constexpr std::int64_t kLookMs = 3'600'000;  // a wait is renewed until all have ended

// One of the calls: a task, or why there is none.
struct Item {
  run::WrappedCall call;
  std::optional<TaskView> task = {};
  std::string refused = {};
};

class RunParallelTool final : public Tool {
 public:
  explicit RunParallelTool(aio::Time& time) : time_(time) {
    definition_.name = std::string(run::kRunParallel);
    definition_.module = "context_builder";
    definition_.action = "run_parallel";
    definition_.description =
        "Makes 1 to 50 calls at the same time and returns all results in the order given. One failure does not stop the others.";
    definition_.schema = kSchema;
    definition_.side_effect = SideEffect::reattachable;
    definition_.aliases = {"RunParallel", "parallel"};
    definition_.reads_itself = true;
  }
  const Definition& definition() const override { return definition_; }

  aio::Task<Outcome> call(json::object arguments, Context context) override {
    if (!context.tasks) co_return Outcome{"run_parallel: no tasks can be run here", true};
    auto calls = run::wrapped_list(arguments);
    if (!calls) co_return Outcome{"run_parallel: " + calls.error().message, true};
    if (calls->empty() || calls->size() > kActionsMax)
      co_return Outcome{"run_parallel: give 1 to " + std::to_string(kActionsMax) + " actions, not " + std::to_string(calls->size()), true};
    const auto started = time_.steady_ms();
    std::vector<Item> items;
    for (auto& inner : *calls) items.push_back({.call = std::move(inner)});
    co_await launch_all(context, items);
    if (std::ranges::none_of(items, [](const Item& item) { return item.task.has_value(); }))
      co_return Outcome{"All " + std::to_string(items.size()) + " parallel action(s) failed before execution. " + items.front().refused, true};
    co_await wait_for_all(context, items);
    co_return outcome_of(items, time_.steady_ms() - started);
  }

 private:
  aio::Task<> launch_all(const Context& context, std::vector<Item>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto& item = items[i];
      if (item.call.name.empty()) {
        item.refused = "action " + std::to_string(i) + ": 'name' is required";
        continue;
      }
      TaskLaunch launch{.name = item.call.name, .arguments = item.call.arguments, .key = context.call_id + ":" + std::to_string(i), .awaited = true};
      auto task = co_await context.tasks->launch(context, std::move(launch));
      if (!task)
        item.refused = task.error().message;
      else
        item.task = std::move(*task);
    }
  }

  aio::Task<> wait_for_all(const Context& context, std::vector<Item>& items) {
    std::vector<std::string> ids;
    for (const auto& item : items)
      if (item.task) ids.push_back(item.task->task_id);
    for (;;) {
      const auto views = co_await context.tasks->wait(context, ids, Tasks::Until::all, time_.steady_ms() + kLookMs);
      for (auto& item : items)
        for (const auto& view : views)
          if (item.task && item.task->task_id == view.task_id) item.task = view;
      if (views.size() < ids.size() || std::ranges::none_of(views, &TaskView::is_live)) co_return;
    }
  }

  static Outcome outcome_of(const std::vector<Item>& items, std::int64_t elapsed_ms) {
    json::array results;
    std::int64_t succeeded = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto& item = items[i];
      const bool success = item.task && item.task->state == TaskState::completed;
      succeeded += success;
      auto result = item.task ? result_value(*item.task) : json::value();
      json::object one{{"index", i},
                       {"name", item.task ? item.task->full_name : item.call.name},
                       {"label", item.task ? item.task->name : item.call.name},
                       {"success", success},
                       {"status", success ? "completed" : "errored"},
                       {"result", result},
                       {"data", result},
                       {"content", item.task ? item.task->result : item.refused}};
      if (item.task) one["task_id"] = item.task->task_id;
      if (!success) one["error"] = !item.refused.empty() ? item.refused : !item.task->cause.empty() ? item.task->cause : item.task->result;
      results.push_back(std::move(one));
    }
    const auto total = static_cast<std::int64_t>(items.size());
    const json::object out{{"results", std::move(results)},
                           {"total", total},
                           {"succeeded", succeeded},
                           {"failed", total - succeeded},
                           {"elapsed_ms", elapsed_ms}};
    return {base::to_text(out), succeeded == 0};
  }

  aio::Time& time_;
  Definition definition_;
};

}  // namespace

std::unique_ptr<Tool> run_parallel_tool(aio::Time& time) { return std::make_unique<RunParallelTool>(time); }

}  // namespace tool
