#include "cli/task_show.h"

#include <boost/json/array.hpp>
#include <cstdlib>

#include "base/clock.h"
#include "base/json.h"
#include "cli/claude_transcript.h"
#include "cli/decision.h"
#include "cli/due_date.h"
#include "cli/store_command.h"
#include "cli/task_desk.h"
#include "cli/task_live.h"
#include "cli/task_table.h"
#include "cli/task_words.h"
#include "engine/harness_execution.h"

namespace cli {

namespace json = boost::json;

namespace {

std::string safe(std::string_view text) { return out_is_terminal() ? harmless(text) : std::string(text); }

// What the run waits for: a person, or a moment. Of one that is at work nothing is read.
aio::Task<> look_at_waits(Process& process, TaskNow& now) {
  if (!now.run || run::is_terminal(now.run->status)) co_return;
  if (now.run->status == run::Status::paused) {
    if (auto calls = co_await waiting_calls(process, *now.run)) now.asks = *std::move(calls);
  } else if (!now.live.value_or(false)) {
    const auto state = co_await engine::fold_harness(*process.store, *now.run);
    if (state.wait_until_ms > process.time.wall_ms()) now.waits = state.wait_why + ", until " + base::iso_utc(state.wait_until_ms);
  }
}

aio::Task<int> show(Process& process, const TaskShowOptions& options) {
  const auto task = co_await task_of(process, options.task);
  if (!task) co_return complain(task.error());
  const std::vector<store::Assignment> one{*task};
  const auto looked = co_await tasks_now(process, one);
  note_registry_failure(looked);
  auto now = looked.front();
  if (!now.run && !task->run_id.empty()) now.run = co_await present(process, task->run_id);
  co_await look_at_waits(process, now);
  const auto transcript = transcript_path(*task, process.settings).value_or("");
  std::vector<store::AssignmentEntry> history;
  if (options.history) history = co_await process.store->assignment_history(task->number);
  if (options.json) {
    auto o = shown_json(*task, now, transcript);
    if (options.history) o["history"] = history_json(history);
    put_line(base::to_text(o));
    co_return kOk;
  }
  std::string out;
  for (const auto& [key, value] : task_lines(*task, now, transcript)) out += key + ": " + value + "\n";
  if (options.history) out += history_text(history);
  put(safe(out));
  co_return kOk;
}

// In pieces: the whole of thousands would only be copied.
void put_list(const std::vector<store::Assignment>& tasks, const std::vector<TaskNow>& now) {
  static constexpr std::size_t kPieceBytes = 32 << 10;
  std::string piece = "[";
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i > 0) piece += ",\n ";
    append_listed(piece, tasks[i], now[i]);
    if (piece.size() < kPieceBytes) continue;
    put(piece);
    piece.clear();
  }
  put_line(piece + "]");
}

aio::Task<int> list(Process& process, const store::AssignmentFilter& filter, const TaskListOptions& options) {
  const auto tasks = co_await process.store->list_assignments(filter);
  const auto now = co_await tasks_now(process, tasks);
  note_registry_failure(now);
  if (options.format == "json") {
    put_list(tasks, now);
    co_return kOk;
  }
  const auto wall_ms = process.time.wall_ms();
  const Moment moment{wall_ms, day_text(local_day(wall_ms))};
  std::vector<TaskRow> rows;
  for (std::size_t i = 0; i < tasks.size(); ++i) rows.push_back(task_row(tasks[i], now[i], moment));
  if (options.format == "tsv") {
    put(task_tsv(rows));
    co_return kOk;
  }
  if (rows.empty()) note("No tasks like that. `outlast task add \"NAME\"` makes one; --include-done shows those that are done.");
  const bool colors = out_is_terminal() && !options.no_color && !std::getenv("NO_COLOR");
  const bool cuts = out_is_terminal() && !options.no_truncate;
  if (!rows.empty()) put(task_table(std::move(rows), {.cut = cuts ? Cut::yes : Cut::no, .color = colors ? Color::yes : Color::no}));
  co_return kOk;
}

Checked<store::AssignmentFilter> filter_of(const TaskListOptions& options) {
  store::AssignmentFilter filter;
  filter.project = options.project;
  filter.include_done = options.include_done;
  filter.include_archived = options.include_archived;
  if (!options.status.empty()) {
    filter.status = store::parse_assignment_status(options.status);
    if (!filter.status) return refuse(kUsage, "--status " + options.status + ": write backlog, in-progress or done");
  }
  if (!options.priority.empty()) {
    auto priority = task_priority(options.priority);
    if (!priority) return std::unexpected(priority.error());
    filter.priority = *std::move(priority);
  }
  auto tags = task_tags(options.tags);
  if (!tags) return std::unexpected(tags.error());
  filter.tags = *std::move(tags);
  if (!options.since.empty()) {
    const auto day = past_day(options.since, local_day(base::SystemClock().wall_ms()));
    if (!day) return refuse(kUsage, "--since " + options.since + ": write " + std::string(kSinceWords));
    filter.updated_since_ms = midnight_ms(*day);
  }
  if (options.format != "table" && options.format != "json" && options.format != "tsv")
    return refuse(kUsage, "--format " + options.format + ": write table, json or tsv");
  return filter;
}

}  // namespace

int run_task_show(const TaskShowOptions& options) {
  return with_store([&options](Process& process) { return show(process, options); });
}

int run_task_list(const TaskListOptions& options) {
  const auto filter = filter_of(options);
  if (!filter) return complain(filter.error());
  return with_store([&](Process& process) { return list(process, *filter, options); });
}

}  // namespace cli
