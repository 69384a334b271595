#include "tool/bash_task.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "run/wrapped_call.h"
#include "tool/file_tool.h"
#include "tool/task_result.h"

namespace tool {

namespace json = boost::json;

namespace {

constexpr std::int64_t kSettleMs = 300;
constexpr std::size_t kShownLines = 50, kErrorLines = 20;
constexpr double kWaitSeconds = 300;

bool flag(const json::object& o, std::string_view key) { return base::bool_field(o, key).value_or(false); }

std::string last_lines(std::string_view text, std::size_t lines) {
  std::size_t at = text.size();
  if (at && text[at - 1] == '\n') --at;
  for (std::size_t i = 0; i < lines; ++i) {
    at = at ? text.rfind('\n', at - 1) : std::string_view::npos;
    if (at == std::string_view::npos) return std::string(text);
  }
  return std::string(text.substr(at + 1));
}

std::int64_t lines_of(std::string_view text) { return std::ranges::count(text, '\n') + (!text.empty() && text.back() != '\n'); }

std::string command_of(const TaskView& task) {
  const auto arguments = base::parse_json(task.arguments);
  return arguments && arguments->is_object() ? base::text_or_empty(arguments->get_object(), "command") : std::string();
}

Outcome answer(const TaskView& task, json::object out, bool is_error = false) {
  Outcome outcome{base::to_text(out), is_error};
  if (!task.is_live()) outcome.told_tasks = {task.task_id};
  return outcome;
}

// An ended command's answer; empty where it never gave one.
json::object result_of(const TaskView& task) {
  auto value = result_value(task);
  return value.is_object() ? std::move(value.get_object()) : json::object();
}

// As the command itself answered.
Outcome answer_of(const TaskView& task) {
  Outcome outcome{task.result.empty() ? "Bash: " + task.cause : task.result, task.state != TaskState::completed};
  outcome.told_tasks = {task.task_id};
  return outcome;
}

struct Perform {
  aio::Time& time;
  const Context& caller;

  Tasks& tasks() const { return *caller.tasks; }

  // What is known, with the last lines of both streams.
  aio::Task<json::object> shown(const TaskView& task) const {
    json::object out{
        {"task_id", task.task_id},      {"command", command_of(task)}, {"status", task.is_live() ? "running" : "finished"},
        {"is_running", task.is_live()}, {"exit_code", nullptr},        {"uptime_seconds", elapsed_seconds(task, time.wall_ms())}};
    json::object output;
    if (task.is_live()) {
      if (auto live = co_await tasks().output(task, kShownLines)) output = std::move(*live);
    } else {
      output = result_of(task);
      for (const auto key : {"exit_code", "signal", "cause", "error"})
        if (const auto* value = output.if_contains(key)) out[key] = *value;
    }
    for (const auto key : {"stdout", "stderr"}) {
      const auto text = base::text_or_empty(output, key);
      const auto total = std::string(key) + "_total_lines";
      out[key] = last_lines(text, kShownLines);
      out[total] = output.contains(total) ? output[total] : json::value(lines_of(text));
    }
    co_return out;
  }

  aio::Task<Outcome> start(json::object arguments) const {
    for (const auto key : {"run_in_background", "wait", "kill"}) arguments.erase(key);
    const auto launched =
        co_await tasks().launch(caller, {.name = "Bash", .arguments = std::move(arguments), .key = caller.call_id, .counted = true});
    if (!launched) co_return Outcome{"Bash: " + launched.error().message, true};
    const auto views = co_await tasks().wait(caller, {launched->task_id}, Tasks::Until::all, time.steady_ms() + kSettleMs);
    const auto& task = views.empty() ? *launched : views.front();
    if (!task.is_live()) {
      const auto result = result_of(task);
      if (task.state == TaskState::completed) co_return answer(task, co_await shown(task));
      const auto code = base::int_field(result, "exit_code");
      auto text = code ? "Command exited immediately with code " + std::to_string(*code) + "."
                       : "Command ended immediately: " + task.cause;
      if (const auto error = last_lines(base::text_or_empty(result, "stderr"), kErrorLines); !error.empty()) text += "\n" + error;
      Outcome outcome{std::move(text), true};
      outcome.told_tasks = {task.task_id};
      co_return outcome;
    }
    json::object out{{"task_id", task.task_id},
                     {"command", command_of(task)},
                     {"status", "running"},
                     {"started_at", base::iso_utc(task.started_ms)}};
    std::string process;
    if (const auto live = co_await tasks().output(task, 0))
      if (const auto pid = base::int_field(*live, "pid")) {
        out["pid"] = *pid;
        process = " (PID " + std::to_string(*pid) + ")";
      }
    out["message"] = "Task '" + task.task_id + "' started" + process + ". Use Bash(task_id='" + task.task_id + "') to check.";
    co_return answer(task, std::move(out));
  }

  aio::Task<Outcome> wait(const TaskView& known, double seconds) const {
    auto ms = static_cast<std::int64_t>(seconds * 1000);
    if (caller.deadline_ms) ms = std::min(ms, std::max<std::int64_t>(0, caller.deadline_ms - time.wall_ms()));
    const auto views = co_await tasks().wait(caller, {known.task_id}, Tasks::Until::all, time.steady_ms() + ms);
    const auto& task = views.empty() ? known : views.front();
    auto out = co_await shown(task);
    if (task.is_live()) {
      out["status"] = "timeout";
      out["message"] = "Task timed out after " + std::to_string(std::llround(seconds)) +
                       "s; it is still running. Use Bash(task_id='" + task.task_id + "', kill=true) to end it.";
      co_return answer(task, std::move(out));
    }
    const auto result = result_of(task);
    for (const auto key : {"stdout", "stderr"}) out[key] = base::text_or_empty(result, key);
    out["status"] = status_word(task.state);
    co_return answer(task, std::move(out));
  }

  aio::Task<Outcome> kill(const TaskView& known) const {
    json::object out{{"task_id", known.task_id}, {"status", "already_finished"}};
    auto task = known;
    if (known.is_live()) {
      auto after = co_await tasks().cancel(caller, known.task_id);
      if (!after) co_return Outcome{"Bash: " + after.error().message, true};
      task = std::move(*after);
      if (task.state == TaskState::cancelled) out["status"] = "killed";
      if (task.is_live()) out["status"] = "killing";
    }
    const auto result = result_of(task);
    out["exit_code"] = result.contains("exit_code") ? result.at("exit_code") : json::value();
    co_return answer(task, std::move(out));
  }

  aio::Task<Outcome> type_in(const TaskView& task, std::string text) const {
    const auto sent = co_await tasks().send(task, {{"op", "input"}, {"data", text + "\n"}});
    if (!sent) co_return Outcome{"Bash: " + sent.error().message, true};
    co_return Outcome{base::to_text(json::object{{"task_id", task.task_id}, {"sent", text.size() + 1}}), false};
  }
};

}  // namespace

bool may_be_promoted(const Context& caller) {
  const auto named = [](const run::GrantedTool& tool) { return tool.name == run::kBackgroundRun; };
  return caller.tasks && !caller.is_task && caller.foreground_ms > 0 && std::ranges::any_of(caller.granted, named);
}

aio::Task<Outcome> bash_foreground(aio::Time& time, json::object arguments, Context caller) {
  TaskLaunch launch{
      .name = "Bash", .arguments = std::move(arguments), .key = caller.call_id, .foreground = true, .awaited = true};
  auto task = co_await caller.tasks->launch(caller, std::move(launch));
  if (!task) co_return Outcome{"Bash: " + task.error().message, true};
  const auto until = time.steady_ms() + caller.foreground_ms;
  auto views = co_await caller.tasks->wait(caller, {task->task_id}, Tasks::Until::all, until);
  if (!views.empty()) *task = std::move(views.front());
  if (task->is_live()) {
    auto promoted = co_await caller.tasks->promote(caller, task->task_id);
    if (!promoted) co_return Outcome{"Bash: " + promoted.error().message, true};
    *task = std::move(*promoted);
  }
  if (!task->is_live()) co_return answer_of(*task);
  const Perform perform{time, caller};
  auto out = co_await perform.shown(*task);
  out["promoted"] = true;
  out["message"] = "The command takes longer than " + std::to_string(caller.foreground_ms / 1000) + " s and goes on as task '" +
                   task->task_id + "'. Use Bash(task_id='" + task->task_id + "') to check; you are told when it ends.";
  co_return answer(*task, std::move(out));
}

bool is_about_task(const json::object& arguments) {
  return !base::text_or_empty(arguments, "task_id").empty() || flag(arguments, "run_in_background");
}

aio::Task<Outcome> bash_task(aio::Time& time, json::object arguments, Context caller) {
  if (!caller.tasks) co_return Outcome{"Bash: no tasks can be run here", true};
  const Perform perform{time, caller};
  const auto id = text_argument(arguments, "task_id");
  if (id.empty()) co_return co_await perform.start(std::move(arguments));
  const auto task = co_await caller.tasks->find(caller, id);
  if (!task) co_return Outcome{"Task '" + id + "' not found. Use BackgroundRun(list_tasks=true) to see all.", true};
  if (flag(arguments, "kill")) co_return co_await perform.kill(*task);
  if (const auto text = base::string_field(arguments, "stdin_text"))
    co_return co_await perform.type_in(*task, std::string(*text));
  if (flag(arguments, "wait"))
    co_return co_await perform.wait(*task, base::number_field(arguments, "timeout").value_or(kWaitSeconds));
  auto out = co_await perform.shown(*task);
  co_return answer(*task, std::move(out));
}

}  // namespace tool
