#include "cli/task_view.h"

#include <boost/json/array.hpp>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/task_desk.h"
#include "engine/git_worktree.h"

namespace cli {

namespace json = boost::json;

namespace {

constexpr std::string_view kNothing = "-";

std::string moment(std::int64_t ms) { return ms ? base::iso_utc(ms) : std::string(); }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string pids_text(const std::vector<std::int64_t>& pids) {
  std::string text;
  for (const auto pid : pids) text += (text.empty() ? "pid " : ", ") + std::to_string(pid);
  return text;
}

std::string log_command(const store::Assignment& task) { return task.run_id.empty() ? "" : "outlast logs " + task.run_id; }

// "" is nothing, in JSON null.
json::value or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

// What the store has of a task in JSON, in its order, into an object or, where thousands are listed, straight into text.
template <typename Into>
void put_fields(const store::Assignment& task, Into& into) {
  into.text("slug", task.slug);
  into.text_or_null("alias", task.alias);
  into.text("name", task.name);
  into.text_or_null("project", task.project);
  into.text("status", store::name(task.status));
  into.flag("archived", task.archived);
  into.text("priority", task.priority);
  into.text_or_null("due", task.due);
  into.text_or_null("work_dir", task.work_dir);
  into.text_or_null("repository", task.repository);
  into.text_or_null("branch", task.repository.empty() ? std::string() : engine::worktree_branch(task.slug));
  into.text_or_null("check", task.check);
  into.text_or_null("notify", task.notify);
  into.text_or_null("waiting_on", task.waiting_on);
  into.text_or_null("assignee", task.assignee);
  into.texts("tags", task.tags);
  into.text_or_null("harness", task.harness);
  into.text_or_null("session_id", task.session_id);
  into.text_or_null("session_started", moment(task.session_started_ms));
  into.text_or_null("session_last_resumed", moment(task.session_resumed_ms));
  into.flag("background", task.background);
  into.flag("unattended", task.unattended);
  into.text_or_null("run_id", task.run_id);
  into.text("created", moment(task.created_ms));
  into.text("updated", moment(task.updated_ms));
  into.text("brief", task.brief);
  into.text("updates", task_updates(task));
}

struct TaskObject {
  json::object fields = {};
  void text(std::string_view key, std::string_view value) { fields[key] = value; }
  void text_or_null(std::string_view key, const std::string& value) { fields[key] = or_null(value); }
  void flag(std::string_view key, bool value) { fields[key] = value; }
  void texts(std::string_view key, const std::vector<std::string>& values) { fields[key] = json::array(values.begin(), values.end()); }
};

// Leaves the object open.
struct TaskText {
  std::string& out;
  bool begun = false;

  void key(std::string_view name) {
    out += std::exchange(begun, true) ? ",\"" : "{\"";
    out += name;
    out += "\":";
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    base::append_json_string(out, value);
  }
  void text_or_null(std::string_view name, const std::string& value) {
    if (value.empty()) nothing(name);
    else text(name, value);
  }
  void nothing(std::string_view name) {
    key(name);
    out += "null";
  }
  void flag(std::string_view name, bool value) {
    key(name);
    out += value ? "true" : "false";
  }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    key(name);
    out += '[';
    for (const auto& value : values) {
      if (&value != &values.front()) out += ',';
      base::append_json_string(out, value);
    }
    out += ']';
  }
};

std::string supervised_state(const store::Run& run, const TaskNow& now) {
  const auto status = base::to_lower(run::name(run.status));
  const auto why = run.reason.empty() ? "" : ", " + run.reason;
  if (run::is_terminal(run.status)) return "ended: " + status + why;
  if (!now.waits.empty()) return "waiting: " + now.waits;
  if (now.live.value_or(false)) return status + " (" + pids_text(now.pids) + ")" + why;
  return status + " (no process now)" + why;
}

}  // namespace

std::string background_text(const Background& session) {
  const bool both = !session.status.empty() && !session.state.empty();
  auto text = session.status + (both ? "/" : "") + session.state;
  if (text.empty()) text = "unknown";
  text += " (";
  if (session.pid > 0) text += "pid " + std::to_string(session.pid) + ", ";
  return text + "id " + session.id + ")";
}

std::string task_state(const store::Assignment& task, const TaskNow& now) {
  if (task.background) {
    if (!now.registry_failure.empty()) return "unknown: " + now.registry_failure;
    if (now.live) return *now.live ? "live in the background" : "not running";
    return "a background session of " + task.harness + "; OUTLAST_TERM=bg outlast task show " + task.slug + " asks for it";
  }
  if (now.run) return supervised_state(*now.run, now);
  if (!task.run_id.empty()) return "its run " + task.run_id + " was removed";
  return task.session_id.empty() ? "never started" : "not running";
}

std::string auto_run(const store::Assignment& task, const TaskNow& now) {
  if (!task.unattended) return {};
  if (now.run && !run::is_terminal(now.run->status)) return base::to_lower(run::name(now.run->status));
  return task.status == store::AssignmentStatus::done ? "completed" : "failed";
}

Lines task_lines(const store::Assignment& task, const TaskNow& now, const std::string& transcript) {
  Lines lines;
  const auto add = [&lines](std::string key, std::string value) {
    lines.emplace_back(std::move(key), value.empty() ? std::string(kNothing) : std::move(value));
  };
  add("slug", task.slug);
  if (!task.alias.empty()) add("alias", task.alias);
  add("name", task.name);
  add("project", task.project);
  add("status", std::string(store::name(task.status)));
  if (task.archived) add("archived", "yes");
  add("state", task_state(task, now));
  for (const auto& call : now.asks)
    add("asks_for", call.name + " " + call.arguments + " (outlast task approve " + task.slug + ", or: outlast task deny " + task.slug + ")");
  add("priority", task.priority);
  add("due", task.due);
  add("work_dir", task.work_dir);
  if (!task.repository.empty()) add("worktree", "of " + task.repository + ", branch " + engine::worktree_branch(task.slug));
  if (!task.check.empty()) add("check", task.check);
  if (!task.notify.empty()) add("notify", task.notify);
  add("waiting_on", task.waiting_on);
  add("assignee", task.assignee);
  add("tags", joined(task.tags));
  add("harness", task.harness);
  add("session_id", task.session_id);
  add("session_started", moment(task.session_started_ms));
  add("session_last_resumed", moment(task.session_resumed_ms));
  if (!now.bg_status.empty()) add("bg_status", now.bg_status);
  add("run_id", task.run_id);
  add("auto_run", auto_run(task, now));
  add("auto_run_log", task.unattended ? log_command(task) : "");
  add("created", moment(task.created_ms));
  add("updated", moment(task.updated_ms));
  add("brief", task.brief);
  add("updates", task_updates(task));
  add("transcript", transcript);
  return lines;
}

std::string history_text(const std::vector<store::AssignmentEntry>& entries) {
  std::string text = "history:\n";
  for (const auto& entry : entries) text += "  " + base::iso_utc(entry.at_ms) + "  " + entry.type + "  " + entry.data + "\n";
  return text;
}

json::object task_json(const store::Assignment& task) {
  TaskObject object;
  put_fields(task, object);
  return std::move(object.fields);
}

void append_listed(std::string& out, const store::Assignment& task, const TaskNow& now) {
  TaskText text{out};
  put_fields(task, text);
  if (now.live) text.flag("live", *now.live);
  else text.nothing("live");
  text.text_or_null("auto_run", auto_run(task, now));
  out += '}';
}

json::object shown_json(const store::Assignment& task, const TaskNow& now, const std::string& transcript) {
  auto o = task_json(task);
  o["state"] = task_state(task, now);
  o["live"] = now.live ? json::value(*now.live) : json::value();
  json::array asks;
  for (const auto& call : now.asks) {
    const auto arguments = base::parse_json(call.arguments);
    asks.push_back(json::object{{"call_id", call.id}, {"tool", call.name}, {"arguments", arguments ? *arguments : json::value(call.arguments)}});
  }
  o["asks"] = std::move(asks);
  o["waits"] = or_null(now.waits);
  o["bg_status"] = or_null(now.bg_status);
  o["auto_run"] = or_null(auto_run(task, now));
  o["auto_run_log"] = or_null(task.unattended ? log_command(task) : "");
  o["transcript"] = or_null(transcript);
  return o;
}

json::array history_json(const std::vector<store::AssignmentEntry>& entries) {
  json::array all;
  for (const auto& entry : entries) {
    auto data = base::parse_json(entry.data);
    all.push_back(json::object{
        {"at", base::iso_utc_ms(entry.at_ms)}, {"type", entry.type}, {"data", data ? *data : json::value(entry.data)}});
  }
  return all;
}

}  // namespace cli
