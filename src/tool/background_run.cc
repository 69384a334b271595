#include <algorithm>
#include <csignal>
#include <cstdio>

#include "base/json.h"
#include "base/limits.h"
#include "tool/background_arguments.h"
#include "tool/task_result.h"
#include "tool/task_tools.h"

namespace tool {

namespace json = boost::json;

std::unique_ptr<Tool> run_parallel_tool(aio::Time& time);  // run_parallel.cc

namespace {

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "name": {"type": "string", "maxLength": 256, "description": "The tool to run in the background, for example Bash."},
    "params": {"type": "object", "description": "Its arguments."},
    "task_id": {"type": "string", "description": "A task: alone to check it, with wait, cancel, stdin or signal."},
    "task_ids": {"type": "array", "items": {"type": "string"}, "description": "Several tasks to wait for."},
    "wait": {"type": "boolean", "description": "Wait for the end of what is launched, or of task_id or task_ids."},
    "mode": {"type": "string", "enum": ["any", "all"], "description": "With task_ids: until one has ended, or all (default)."},
    "wait_for": {"type": "string", "description": "With task_id: wait until its output shows this (a regular expression)."},
    "notify_when": {"type": "array", "items": {"type": "string"}, "description": "With a launch: be told when its output shows one of these."},
    "after": {"type": "array", "items": {"type": "string"}, "description": "With a launch: tasks that must have succeeded first (after_failure: have ended)."},
    "after_failure": {"type": "boolean"},
    "watch": {"type": "boolean", "description": "With command: run it every interval seconds; you are told what changes, and when until is seen."},
    "command": {"type": "string"},
    "interval": {"type": "number", "description": "Seconds between two checks of a watch: 1 to 3600, default 2."},
    "until": {"type": "string", "description": "A watch ends when its output shows this (a regular expression)."},
    "max_checks": {"type": "integer"},
    "timeout": {"type": "number", "description": "Seconds to wait at most: 1 to 3600, default 60."},
    "cancel": {"type": "boolean", "description": "End the task and everything that it started."},
    "list_tasks": {"type": "boolean", "description": "List this session's tasks."},
    "stdin": {"type": "string", "description": "Text for the task's standard input."},
    "stdin_end": {"type": "boolean", "description": "Close the task's standard input."},
    "signal": {"type": "string", "enum": ["SIGINT", "SIGTERM"]},
    "tail_lines": {"type": "integer", "description": "Lines of output shown of a running task, default 100."},
    "settle_seconds": {"type": "number", "description": "How long a launch looks for an early end, default 0.3."}
  }
})";

constexpr std::size_t kListBytesMax = base::limits::kToolResultBytesMax - 1'024;
constexpr std::int64_t kLookMs = 100;  // between two looks for a pattern

std::string not_found(const std::string& id) { return "Task '" + id + "' not found. Use BackgroundRun(list_tasks=true) to see all."; }

class BackgroundRunTool final : public Tool {
 public:
  explicit BackgroundRunTool(aio::Time& time) : time_(time) {
    definition_.name = std::string(run::kBackgroundRun);
    definition_.module = "context_builder";
    definition_.action = "background_run";
    definition_.description =
        "Runs a tool as a background task that outlives this turn: name and params launch one (with wait=true its result comes back); "
        "task_id checks one, with wait=true waits for it, with cancel=true ends it; task_ids with wait=true waits for several; "
        "list_tasks=true lists all. You are told when a task ends.";
    definition_.schema = kSchema;
    definition_.side_effect = SideEffect::reattachable;
    definition_.aliases = {"BackgroundRun", "bg_run", "async_run"};
    definition_.reads_itself = true;
  }
  const Definition& definition() const override { return definition_; }

  // What is typed in or signalled twice happens twice; everything else finds what it did the first time.
  SideEffect side_effect(const json::object& arguments) const override {
    const auto read = read_background_arguments(arguments);
    const bool acts = read && (std::holds_alternative<SignalRequest>(read->request) || std::holds_alternative<InputRequest>(read->request));
    return acts ? SideEffect::at_most_once : SideEffect::reattachable;
  }

  aio::Task<Outcome> call(json::object arguments, Context context) override {
    if (!context.tasks) co_return Outcome{"background_run: no tasks can be run here", true};
    auto read = read_background_arguments(arguments);
    if (!read) co_return Outcome{read.error().message, true};
    const Perform perform{time_, context, read->tail_lines};
    // A named coroutine per mode; the variant is taken apart here because lambdas must not be coroutines.
    auto& request = read->request;
    if (std::holds_alternative<ListRequest>(request)) co_return co_await perform.list();
    if (auto* cancel = std::get_if<CancelRequest>(&request)) co_return co_await perform.cancel(std::move(cancel->task_id));
    if (auto* signal = std::get_if<SignalRequest>(&request)) co_return co_await perform.signal(std::move(*signal));
    if (auto* input = std::get_if<InputRequest>(&request)) co_return co_await perform.input(std::move(*input));
    if (auto* wait = std::get_if<WaitRequest>(&request)) co_return co_await perform.wait(std::move(*wait));
    if (auto* status = std::get_if<StatusRequest>(&request)) co_return co_await perform.status(std::move(status->task_id));
    co_return co_await perform.launch(std::move(std::get<LaunchRequest>(request)));
  }

 private:
  struct Perform {
    aio::Time& time;
    const Context& caller;
    std::size_t tail_lines;

    Tasks& tasks() const { return *caller.tasks; }

    // Not beyond what is left of the turn.
    std::int64_t until(double seconds) const {
      auto ms = static_cast<std::int64_t>(seconds * 1000);
      if (caller.deadline_ms) ms = std::min(ms, std::max<std::int64_t>(0, caller.deadline_ms - time.wall_ms()));
      return time.steady_ms() + ms;
    }

    static Outcome answer(const TaskView& task, json::value value, bool is_error = false) {
      Outcome outcome{base::to_text(value), is_error};
      if (!task.is_live()) outcome.told_tasks = {task.task_id};
      return outcome;
    }

    // The state of a task, a running one with the end of its output.
    aio::Task<json::object> shown(const TaskView& task) const {
      auto out = describe(task, time.wall_ms());
      if (!task.is_live()) co_return out;
      const auto output = co_await tasks().output(task, tail_lines);
      if (output) {
        const auto log = base::text_or_empty(*output, "stdout") + base::text_or_empty(*output, "stderr");
        if (!log.empty()) out["log"] = log;
        out["log_lines"] = base::int_or_zero(*output, "stdout_total_lines") + base::int_or_zero(*output, "stderr_total_lines");
      }
      out["hint"] = "Task '" + task.name + "' running for " + std::to_string(static_cast<std::int64_t>(elapsed_seconds(task, time.wall_ms()))) +
                    "s. Use BackgroundRun(task_id='" + task.task_id + "') to check again.";
      co_return out;
    }

    aio::Task<Outcome> list() const {
      const auto known = co_await tasks().list(caller);
      json::array all;
      std::size_t bytes = 0;
      for (const auto& task : known) {
        auto one = summarize(task, time.wall_ms());
        bytes += base::to_text(one).size() + 1;
        if (bytes > kListBytesMax) break;
        all.push_back(std::move(one));
      }
      // The answer is a bare array: its last element says how much of it is missing.
      if (const auto left_out = known.size() - all.size(); left_out > 0) all.push_back(json::object{{"left_out", left_out}});
      co_return Outcome{base::to_text(all), false};
    }

    aio::Task<Outcome> status(std::string id) const {
      const auto task = co_await tasks().find(caller, id);
      if (!task) co_return Outcome{not_found(id), true};
      auto out = co_await shown(*task);
      co_return answer(*task, std::move(out));
    }

    aio::Task<Outcome> cancel(std::string id) const {
      const auto before = co_await tasks().find(caller, id);
      if (!before) co_return Outcome{not_found(id), true};
      auto after = before->is_live() ? co_await tasks().cancel(caller, id) : base::Result<TaskView>(*before);
      if (!after) co_return Outcome{not_found(id), true};
      auto out = describe(*after, time.wall_ms());
      const bool cancelled = before->is_live() && after->state == TaskState::cancelled;
      out["cancelled"] = cancelled;
      if (!before->is_live() || !cancelled)
        out["hint"] = after->is_live() ? "The task is being ended; its processes are not all gone yet." : "Task already completed.";
      co_return answer(*after, std::move(out));
    }

    aio::Task<Outcome> signal(SignalRequest request) const {
      const auto task = co_await tasks().find(caller, request.task_id);
      if (!task) co_return Outcome{not_found(request.task_id), true};
      const auto sent = co_await tasks().send(*task, {{"op", "signal"}, {"signal", request.signal == "SIGINT" ? SIGINT : SIGTERM}});
      if (!sent) co_return Outcome{"background_run signal: " + sent.error().message, true};
      co_return Outcome{base::to_text(json::object{{"signalled", request.task_id}, {"signal", request.signal}}), false};
    }

    aio::Task<Outcome> input(InputRequest request) const {
      const auto task = co_await tasks().find(caller, request.task_id);
      if (!task) co_return Outcome{not_found(request.task_id), true};
      base::Result<> sent;
      if (!request.data.empty()) sent = co_await tasks().send(*task, {{"op", "input"}, {"data", request.data}});
      if (sent && request.end) sent = co_await tasks().send(*task, {{"op", "end_input"}});
      if (!sent) co_return Outcome{"background_run stdin: " + sent.error().message, true};
      json::object out{{"sent", request.task_id}, {"bytes", request.data.size()}};
      if (request.end) out["ended"] = true;
      co_return Outcome{base::to_text(out), false};
    }

    aio::Task<Outcome> wait(WaitRequest request) const {
      const auto seconds = request.timeout_s;
      if (!request.pattern.empty())
        co_return co_await wait_for_pattern(std::move(request.task_ids.front()), std::move(request.pattern), seconds);
      for (const auto& id : request.task_ids)
        if (const auto known = co_await tasks().find(caller, id); !known) co_return Outcome{not_found(id), true};
      const auto views = co_await tasks().wait(caller, request.task_ids, request.until, until(seconds));
      if (views.empty()) co_return Outcome{not_found(request.task_ids.front()), true};
      if (!request.several) co_return co_await waited(views.front(), seconds);
      Outcome outcome;
      json::array all, done, pending;
      for (const auto& view : views) {
        all.push_back(co_await shown(view));
        (view.is_live() ? pending : done).push_back(json::value(view.task_id));
        if (!view.is_live()) outcome.told_tasks.push_back(view.task_id);
      }
      const bool timed_out = request.until == Tasks::Until::any ? done.empty() : !pending.empty();
      json::object out{{"tasks", std::move(all)}, {"done", std::move(done)}, {"pending", std::move(pending)}, {"timed_out", timed_out}};
      outcome.text = base::to_text(out);
      co_return outcome;
    }

    // Looks once more after the end: the pattern may be in the last byte.
    aio::Task<Outcome> wait_for_pattern(std::string id, std::string pattern, double seconds) const {
      const auto end = until(seconds);
      ScanFrom from;
      for (;;) {
        const auto task = co_await tasks().find(caller, id);
        if (!task) co_return Outcome{not_found(id), true};
        const auto sighting = co_await tasks().scan(*task, pattern, from);
        if (!sighting) co_return Outcome{"background_run wait_for: " + sighting.error().message, true};
        from = sighting->next;
        const bool late = time.steady_ms() >= end;
        if (!sighting->found && task->is_live() && !late) {
          co_await time.sleep(std::chrono::milliseconds(kLookMs));
          continue;
        }
        auto out = co_await shown(*task);
        if (sighting->found) {
          out["matched"] = pattern;
          out["line"] = sighting->line;
        } else if (!task->is_live()) {
          out["note"] = "task ended before pattern \"" + pattern + "\" was seen";
        } else {
          out["timeout"] = true;
          out["note"] = "pattern \"" + pattern + "\" not seen yet; the task is still running";
        }
        co_return answer(*task, std::move(out));
      }
    }

    aio::Task<Outcome> waited(TaskView task, double seconds) const {
      auto out = co_await shown(task);
      if (task.is_live()) {
        char text[32];
        std::snprintf(text, sizeof text, "%g", seconds);
        out["message"] = "Timeout after " + std::string(text) + "s — task still running. Use BackgroundRun(task_id='" + task.task_id +
                         "', wait=true, timeout=300) to wait longer.";
        out["timed_out"] = true;
      }
      co_return answer(task, std::move(out));
    }

    aio::Task<Outcome> launch(LaunchRequest request) const {
      TaskLaunch launch{.name = request.call.name,
                        .arguments = std::move(request.call.arguments),
                        .notify_when = std::move(request.notify_when),
                        .after = std::move(request.after),
                        .watch = std::move(request.watch),
                        .key = caller.call_id};
      const auto task = co_await tasks().launch(caller, std::move(launch));
      if (!task) co_return Outcome{task.error().message, true};
      const auto seconds = request.wait ? request.timeout_s : request.settle_s;
      const auto views = co_await tasks().wait(caller, {task->task_id}, Tasks::Until::all, until(seconds));
      const auto& now = views.empty() ? *task : views.front();
      if (request.wait) co_return co_await waited(now, seconds);
      if (now.is_live() || now.state == TaskState::completed) {
        auto out = co_await shown(now);
        if (now.is_live()) out["elapsed_seconds"] = 0;
        co_return answer(now, std::move(out));
      }
      auto out = describe(now, time.wall_ms());
      out["settled"] = true;
      out["error"] = "Background task failed immediately: " + base::text_or_empty(out, "error");
      co_return answer(now, std::move(out), true);
    }
  };

  aio::Time& time_;
  Definition definition_;
};

}  // namespace

std::vector<std::unique_ptr<Tool>> task_tools(aio::Time& time) {
  std::vector<std::unique_ptr<Tool>> tools;
  tools.push_back(std::make_unique<BackgroundRunTool>(time));
  tools.push_back(run_parallel_tool(time));
  return tools;
}

}  // namespace tool
