#include "tool/agent_tool.h"

#include "base/json.h"
#include "run/team.h"
#include "tool/file_tool.h"
#include "tool/task_result.h"
#include "tool/tasks.h"

namespace tool {

namespace json = boost::json;

namespace {

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "prompt": {"type": "string", "minLength": 1, "description": "The work, with all that it takes: the specialist sees nothing else."},
    "task": {"type": "string", "description": "The same as prompt."},
    "specialist": {"type": "string", "description": "Who does it."},
    "agent": {"type": "string", "description": "The same as specialist."},
    "wait": {"type": "boolean", "description": "false: go on; you are told when it has ended (default true)."},
    "timeout": {"type": "number", "minimum": 1, "maximum": 3600, "description": "Seconds after which it goes on in the background (default 600)."}
  },
  "additionalProperties": false
})";
constexpr double kWaitSeconds = 600;

std::string either(const json::object& o, std::string_view a, std::string_view b) {
  auto text = base::text_or_empty(o, a);
  return text.empty() ? base::text_or_empty(o, b) : text;
}

class AgentTool final : public Tool {
 public:
  AgentTool(aio::Time& time, Agents& agents) : time_(time), agents_(agents) {
    definition_.name = "Agent";
    definition_.module = "agent_spawn";
    definition_.action = "agent";
    definition_.description = "Gives a piece of work to a specialist, an agent with a conversation of its own, and returns what it answers.";
    definition_.schema = kSchema;
    definition_.side_effect = SideEffect::reattachable;
    definition_.aliases = {"agent_spawn"};
  }
  const Definition& definition() const override { return definition_; }

  aio::Task<Outcome> call(json::object arguments, Context context) override {
    const auto prompt = either(arguments, "prompt", "task");
    const auto specialist = either(arguments, "specialist", "agent");
    if (prompt.empty()) co_return Outcome{"Agent: prompt: is required", true};
    if (!context.spec || !context.tasks) co_return Outcome{"Agent: no agent can be run here", true};
    if (!run::find_member(*context.spec, specialist))
      co_return Outcome{"Agent: there is no specialist '" + specialist + "'." + run::team_text(*context.spec), true};
    if (context.is_task) co_return co_await perform(context, specialist, prompt);
    co_return co_await delegate(std::move(arguments), std::move(context));
  }

  aio::Task<> end_run(std::string run_id, std::int64_t) override { co_await agents_.end_children(std::move(run_id)); }

 private:
  // In a task of its own: the specialist's run, and what it came to.
  aio::Task<Outcome> perform(const Context& context, const std::string& specialist, const std::string& prompt) {
    auto launched = co_await agents_.launch(context, specialist, prompt);
    if (!launched) co_return Outcome{"Agent: " + launched.error().message, true};
    const auto ended = co_await agents_.wait(launched->run_id);
    const bool failed = ended.status != run::Status::completed;
    json::object out{{"run_id", ended.run_id},
                     {"agent", ended.agent},
                     {"status", run::name(ended.status)},
                     {"content", ended.content},
                     {"duration_ms", ended.ended_ms - ended.started_ms}};
    if (failed) out["error"] = ended.error.empty() ? "it was cancelled" : ended.error;
    co_return Outcome{base::to_text(out), failed};
  }

  // The call as a task, so that it can go on without its caller.
  aio::Task<Outcome> delegate(json::object arguments, Context context) {
    const bool waits = base::bool_field(arguments, "wait").value_or(true);
    const auto seconds = base::number_field(arguments, "timeout").value_or(kWaitSeconds);
    arguments.erase("wait");
    arguments.erase("timeout");
    TaskLaunch launch{.name = "Agent", .arguments = std::move(arguments), .key = context.call_id, .foreground = waits, .counted = true, .awaited = waits};
    auto task = co_await context.tasks->launch(context, std::move(launch));
    if (!task) co_return Outcome{"Agent: " + task.error().message, true};
    if (waits) {
      const auto until = time_.steady_ms() + static_cast<std::int64_t>(seconds * 1000);
      const auto views = co_await context.tasks->wait(context, {task->task_id}, Tasks::Until::all, until);
      if (!views.empty()) *task = views.front();
      if (task->is_live()) {
        auto promoted = co_await context.tasks->promote(context, task->task_id);
        if (promoted) *task = *std::move(promoted);
      }
    }
    if (!task->is_live()) {
      Outcome outcome{task->result.empty() ? "Agent: " + task->cause : task->result, task->state != TaskState::completed};
      outcome.told_tasks = {task->task_id};
      co_return outcome;
    }
    auto out = describe(*task, time_.wall_ms());
    out["hint"] = "The specialist goes on as task '" + task->task_id + "'. Use BackgroundRun(task_id='" + task->task_id +
                  "') to check; you are told when it has ended.";
    co_return Outcome{base::to_text(out), false};
  }

  aio::Time& time_;
  Agents& agents_;
  Definition definition_;
};

}  // namespace

std::unique_ptr<Tool> agent_tool(aio::Time& time, Agents& agents) { return std::make_unique<AgentTool>(time, agents); }

}  // namespace tool
