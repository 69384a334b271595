#include "cli/task_sessions.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/clock.h"
#include "base/json.h"
#include "cli/columns.h"
#include "cli/foreign_sessions.h"
#include "cli/registry_query.h"
#include "cli/store_command.h"
#include "cli/task_desk.h"

namespace cli {

namespace json = boost::json;

namespace {

constexpr std::int64_t kQuietMs = 30'000;  // a session that was written to since then may have an agent at work
constexpr std::size_t kShown = 20, kShownAll = 1'000, kSearched = 10'000;
constexpr std::size_t kAgeColumns = 4, kHarnessColumns = 8, kIdColumns = 36;

// The task that a session is bound to; "" none: it is external.
aio::Task<std::string> task_of_session(Process& process, const ForeignSession& session) {
  const auto task = co_await process.store->assignment_of_session(session.session_id);
  co_return task ? task->slug : std::string();
}

json::object session_json(const ForeignSession& session, const std::string& task) {
  return {{"harness", session.harness},
          {"session_id", session.session_id},
          {"directory", session.directory.empty() ? json::value() : json::value(session.directory)},
          {"changed", base::iso_utc(session.changed_ms)},
          {"external", task.empty()},
          {"task", task.empty() ? json::value() : json::value(task)}};
}

// Two agents must not work in one session: it is taken over when nobody is in it.
aio::Task<Checked<>> look_at_rest(Process& process, ForeignSession session) {
  const auto flag = "--session " + session.session_id;
  if (process.time.wall_ms() - session.changed_ms < kQuietMs)
    co_return refuse(kFailed, flag + " was written to " + age(session.changed_ms, process.time.wall_ms()) + " ago: its agent may be at work. End it, or use --force");
  const auto* harness = harness::find(session.harness);
  if (!harness || !harness->background()) co_return Checked<>{};
  const auto agents = co_await ask_registry(process, *harness, kRegistryLaunchMs);
  if (!agents) co_return refuse(kFailed, "whether an agent is in session " + session.session_id + " could not be found out: " + agents.error() + "; --force does not ask");
  const auto live = std::ranges::find_if(*agents, [&](const harness::Registered& one) { return one.session_id == session.session_id && is_there(one, process.time.wall_ms()); });
  if (live == agents->end()) co_return Checked<>{};
  co_return refuse(kFailed, flag + " has an agent that is there" + (live->pid > 0 ? " (pid " + std::to_string(live->pid) + ")" : "") + "; end it first");
}

aio::Task<int> sessions(Process& process, const TaskSessionsOptions& options) {
  aio::Offload blocking(1);
  auto look = [&] { return foreign_sessions(process.settings, options.all ? kShownAll : kShown); };
  const auto found = co_await blocking.run(look);
  json::array all;
  std::string table = padded("AGE", kAgeColumns) + "  " + padded("AGENT", kHarnessColumns) + "  " + padded("SESSION", kIdColumns) + "  TASK / DIRECTORY\n";
  for (const auto& session : found) {
    const auto task = co_await task_of_session(process, session);
    all.push_back(session_json(session, task));
    table += padded(age(session.changed_ms, process.time.wall_ms()), kAgeColumns) + "  " + padded(session.harness, kHarnessColumns) + "  " + padded(session.session_id, kIdColumns) + "  " +
             (task.empty() ? "external  " : task + "  ") + one_line(session.directory, session.directory.size() + 1) + "\n";
  }
  if (options.json) put_line(base::to_text(all));
  else if (found.empty()) note("No sessions of Claude Code or Codex are found in this home.");
  else put(table);
  co_return kOk;
}

}  // namespace

aio::Task<Checked<store::Assignment>> bind_task(Process& process, store::Assignment task, std::string session_id, std::string harness, std::string how) {
  const auto now = process.time.wall_ms();
  const TaskChange bind = [&](store::Assignment& one, TaskEntries& entries) -> Checked<> {
    json::object entry{{"session_id", session_id}, {how, true}};
    if (!one.session_id.empty() && one.session_id != session_id) entry["before"] = one.session_id;
    entries.push_back({.type = "session", .data = base::to_text(entry)});
    one.session_id = session_id;
    one.harness = harness;
    one.background = false;
    one.session_started_ms = now;
    if (one.status == store::AssignmentStatus::backlog) one.status = store::AssignmentStatus::in_progress;
    return {};
  };
  co_return co_await change_task(process, std::move(task), bind);
}

aio::Task<Checked<store::Assignment>> take_over(Process& process, store::Assignment task, std::string id, bool force) {
  aio::Offload blocking(1);
  auto look = [&] { return foreign_sessions(process.settings, kSearched); };
  auto found = co_await blocking.run(look);
  std::erase_if(found, [&](const ForeignSession& session) { return id.empty() || !session.session_id.starts_with(id); });
  if (found.empty()) co_return refuse(kFailed, "--session " + id + ": there is no such session of Claude Code or Codex; `outlast task sessions` shows them");
  if (found.size() > 1) co_return refuse(kFailed, "--session " + id + " begins the ids of several sessions: " + found[0].session_id + ", " + found[1].session_id);
  const auto& session = found.front();
  if (task.session_id == session.session_id) co_return task;
  const auto flag = "--session " + session.session_id;
  if (const auto other = co_await task_of_session(process, session); !other.empty())
    co_return refuse(kFailed, flag + " is bound to task '" + other + "': outlast task do " + other);
  if (!task.session_id.empty() && !force) co_return refuse(kFailed, "task '" + task.slug + "' is bound to session " + task.session_id + "; " + flag + " --force binds that one in its place");
  if (!task.harness.empty() && task.harness != session.harness && !force) co_return refuse(kFailed, "task '" + task.slug + "' is pinned to " + task.harness + "; --force changes that");
  if (session.directory != task.work_dir)
    co_return refuse(kFailed, flag + " works in " + (session.directory.empty() ? "a directory that its file does not say" : session.directory) + ", task '" + task.slug + "' in " + task.work_dir +
                                  "; a session goes on where it is: outlast task add NAME --work-dir " + session.directory);
  if (!force)
    if (const auto rests = co_await look_at_rest(process, session); !rests) co_return std::unexpected(rests.error());
  co_return co_await bind_task(process, std::move(task), session.session_id, session.harness, "taken_over");
}

int run_task_sessions(const TaskSessionsOptions& options) {
  return with_store([&options](Process& process) { return sessions(process, options); });
}

}  // namespace cli
