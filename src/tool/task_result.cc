#include "tool/task_result.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

namespace tool {

namespace json = boost::json;

namespace {

constexpr std::size_t kNoticeBytes = 2'000;

// Keys of a command's answer that are worth having at the top too.
constexpr std::string_view kLifted[] = {"exit_code", "signal", "cause"};

std::string headline(std::string_view event, const TaskView& task, std::int64_t now_ms) {
  char elapsed[32];
  std::snprintf(elapsed, sizeof elapsed, "%.1f", elapsed_seconds(task, now_ms));
  return "[BACKGROUND TASK " + std::string(event) + "] task_id=" + task.task_id + " tool=" + task.full_name + " elapsed=" + elapsed + "s";
}

// What a person would want to see of an answer: a command's output, else the text.
std::string shown_output(const TaskView& task) {
  const auto value = result_value(task);
  const auto* o = value.if_object();
  if (!o) return task.result;
  if (!o->contains("stdout")) return base::text_or_empty(*o, "error").empty() ? task.result : base::text_or_empty(*o, "error");
  auto text = base::text_or_empty(*o, "stdout");
  const auto err = base::text_or_empty(*o, "stderr");
  if (!text.empty() && !text.ends_with('\n') && !err.empty()) text += '\n';
  text += err;
  if (const auto error = base::text_or_empty(*o, "error"); !error.empty()) text += (text.empty() || text.ends_with('\n') ? "" : "\n") + error;
  if (const auto code = base::int_field(*o, "exit_code"); code && *code != 0)
    text += (text.empty() || text.ends_with('\n') ? "" : "\n") + std::string("exit code ") + std::to_string(*code);
  return text;
}

std::string with_output(std::string head, std::string output) {
  while (output.ends_with('\n')) output.pop_back();
  if (output.empty()) return head;
  if (output.size() > kNoticeBytes) output = "…(truncated)…" + std::string(base::utf8_suffix(output, kNoticeBytes));
  return head + "\noutput:\n" + output;
}

}  // namespace

std::string_view status_word(TaskState state) {
  switch (state) {
    case TaskState::running: return "running";
    case TaskState::completed: return "completed";
    case TaskState::errored: return "failed";
    case TaskState::cancelled: return "cancelled";
    case TaskState::interrupted: return "failed";
  }
  return "failed";
}

std::string_view state_word(TaskState state) {
  static constexpr std::string_view kWords[] = {"running", "completed", "errored", "cancelled", "interrupted"};
  return kWords[static_cast<std::size_t>(state)];
}

double elapsed_seconds(const TaskView& task, std::int64_t now_ms) {
  const auto end = task.ended_ms ? task.ended_ms : now_ms;
  return std::round(static_cast<double>(std::max<std::int64_t>(0, end - task.started_ms)) / 100) / 10;
}

json::value result_value(const TaskView& task) {
  if (auto value = base::parse_json(task.result); value && (value->is_object() || value->is_array())) return *std::move(value);
  return json::value(task.result);
}

json::object summarize(const TaskView& task, std::int64_t now_ms) {
  json::object out{{"task_id", task.task_id},
                   {"name", task.name},
                   {"status", status_word(task.state)},
                   {"elapsed_seconds", elapsed_seconds(task, now_ms)},
                   {"state", state_word(task.state)},
                   {"tool_name", task.full_name},
                   {"started_at", base::iso_utc(task.started_ms)},
                   {"started_at_unix", static_cast<double>(task.started_ms) / 1000}};
  if (task.ended_ms) out["finished_at"] = base::iso_utc(task.ended_ms);
  if (!task.waits_for.empty()) out["waits_for"] = task.waits_for;
  return out;
}

json::object describe(const TaskView& task, std::int64_t now_ms) {
  auto out = summarize(task, now_ms);
  if (task.is_live()) return out;
  if (!task.cause.empty()) out["cause"] = task.cause;
  if (task.result.empty()) {
    if (task.state != TaskState::completed && !task.cause.empty()) out["error"] = task.cause;
    return out;
  }
  auto result = result_value(task);
  if (const auto* o = result.if_object())
    for (const auto key : kLifted)
      if (const auto* value = o->if_contains(key)) out[key] = *value;
  if (task.state != TaskState::completed) out["error"] = shown_output(task);
  out["result"] = std::move(result);
  return out;
}

std::string ended_notice(const TaskView& task) {
  const auto* event = task.state == TaskState::completed ? "COMPLETED" : task.state == TaskState::cancelled ? "CANCELLED" : "FAILED";
  auto output = shown_output(task);
  if (output.empty()) output = task.cause;
  return with_output(headline(event, task, task.ended_ms), std::move(output));
}

std::string update_notice(const TaskView& task, const std::string& output, std::int64_t now_ms) {
  auto head = headline("", task, now_ms);
  head.replace(0, head.find(']') + 1, "[WATCHER UPDATE]");
  return with_output(std::move(head), output);
}

std::string ready_notice(const TaskView& task, const std::string& pattern, const std::string& recent, std::int64_t now_ms) {
  return headline("READY", task, now_ms) + "\nPattern \"" + pattern +
         "\" detected in live output. Task is STILL RUNNING — use task_id=\"" + task.task_id + "\" to monitor or cancel.\nRecent output:\n" + recent;
}

}  // namespace tool
