#include "cli/task_view.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "cli/task_table.h"

namespace cli {
namespace {

store::Assignment a_task() {
  store::Assignment task;
  task.slug = "fix-login";
  task.name = "Fix the login";
  task.brief = "/home/x/tasks/fix-login/brief.md";
  task.work_dir = "/src";
  task.harness = "claude";
  task.created_ms = 1'000'000;
  task.updated_ms = 2'000'000;
  return task;
}

store::Run a_run(run::Status status, std::string reason = "") {
  store::Run run;
  run.run_id = "20260420T140312-0123456789ab";
  run.status = status;
  run.reason = std::move(reason);
  return run;
}

std::string line(const Lines& lines, std::string_view key) {
  for (const auto& [name, value] : lines)
    if (name == key) return value;
  return "(no such line)";
}

TEST(TaskView, TheListSaysOfATaskWhatItsObjectSays) {
  auto task = a_task();
  task.name = "A \"quoted\" – name";
  task.tags = {"api", "auth"};
  task.repository = "/r";
  task.unattended = true;
  std::string text;
  append_listed(text, task, {.run = a_run(run::Status::running), .live = true});
  auto expected = task_json(task);
  expected["live"] = true;
  expected["auto_run"] = "running";
  EXPECT_EQ(text, base::to_text(expected));
}

TEST(TaskView, LinesStandInTheirOrder) {
  auto task = a_task();
  task.tags = {"api", "auth"};
  std::string keys;
  for (const auto& [key, value] : task_lines(task, {}, "/t.jsonl")) keys += key + " ";
  EXPECT_EQ(keys,
            "slug name project status state priority due work_dir waiting_on assignee tags harness session_id session_started "
            "session_last_resumed run_id auto_run auto_run_log created updated brief updates transcript ");
  task.repository = "/r";
  task.check = "make test";
  const auto more = task_lines(task, {}, "");
  EXPECT_EQ(line(more, "worktree"), "of /r, branch outlast/fix-login");
  EXPECT_EQ(line(more, "check"), "make test");
  const auto lines = task_lines(task, {.bg_status = "idle/done (pid 1, id a)"}, "");
  EXPECT_EQ(line(lines, "project"), "-");
  EXPECT_EQ(line(lines, "tags"), "api, auth");
  EXPECT_EQ(line(lines, "updates"), "/home/x/tasks/fix-login/updates");
  EXPECT_EQ(line(lines, "bg_status"), "idle/done (pid 1, id a)");
  EXPECT_EQ(line(lines, "created"), "1970-01-01T00:16:40Z");
  EXPECT_EQ(line(lines, "transcript"), "-");
}

TEST(TaskView, BackgroundSessionsAreLabelled) {
  EXPECT_EQ(background_text({.status = "idle", .state = "done", .id = "c738d8d5", .pid = 23274}),
            "idle/done (pid 23274, id c738d8d5)");
  EXPECT_EQ(background_text({.status = "", .state = "stopped", .id = "c7", .pid = 0}), "stopped (id c7)");
  EXPECT_EQ(background_text({.status = "busy", .state = "", .id = "c7", .pid = 4}), "busy (pid 4, id c7)");
  EXPECT_EQ(background_text({.status = "", .state = "", .id = "c7", .pid = 0}), "unknown (id c7)");
}

TEST(TaskView, WhatIsWaitedForIsShown) {
  auto task = a_task();
  task.run_id = "20260420T140312-0123456789ab";
  TaskNow now{.run = a_run(run::Status::paused, "run.paused.approval"), .live = true};
  EXPECT_EQ(line(task_lines(task, now, ""), "asks_for"), "(no such line)");
  now.asks = {{.id = "toolu_1", .name = "Bash", .arguments = R"({"command":"rm x"})"}};
  EXPECT_EQ(line(task_lines(task, now, ""), "asks_for"), R"(Bash {"command":"rm x"} (outlast task approve fix-login, or: outlast task deny fix-login))");
  EXPECT_EQ(base::to_text(shown_json(task, now, "").at("asks")), R"([{"call_id":"toolu_1","tool":"Bash","arguments":{"command":"rm x"}}])");
  EXPECT_EQ(task_state(task, {.run = a_run(run::Status::running), .live = false, .waits = "limit: no, until 2026-11-30T02:38:04Z"}),
            "waiting: limit: no, until 2026-11-30T02:38:04Z");
}

TEST(TaskView, StateComesFromEvidence) {
  auto task = a_task();
  EXPECT_EQ(task_state(task, {}), "never started");
  task.session_id = "s";
  EXPECT_EQ(task_state(task, {}), "not running");
  task.run_id = "20260420T140312-0123456789ab";
  EXPECT_EQ(task_state(task, {}), "its run 20260420T140312-0123456789ab was removed");
  EXPECT_EQ(task_state(task, {.run = a_run(run::Status::running), .live = true, .pids = {7, 8}}), "running (pid 7, 8)");
  EXPECT_EQ(task_state(task, {.run = a_run(run::Status::paused, "run.paused.approval"), .live = false}),
            "paused (no process now), run.paused.approval");
  EXPECT_EQ(task_state(task, {.run = a_run(run::Status::error, "run.failed.no_result"), .live = false}),
            "ended: error, run.failed.no_result");
  task.background = true;
  EXPECT_EQ(task_state(task, {.live = true}), "live in the background");
  EXPECT_EQ(task_state(task, {.live = false}), "not running");
  EXPECT_EQ(task_state(task, {.registry_failure = "no answer"}), "unknown: no answer");
  EXPECT_NE(task_state(task, {}).find("OUTLAST_TERM=bg"), std::string::npos) << "what was not asked says how to ask";
}

TEST(TaskView, AnUnattendedRunFailsUnlessItMarkedItsTaskAsDone) {
  auto task = a_task();
  EXPECT_EQ(auto_run(task, {}), "");
  task.unattended = true;
  EXPECT_EQ(auto_run(task, {.run = a_run(run::Status::running)}), "running");
  EXPECT_EQ(auto_run(task, {}), "failed");
  task.status = store::AssignmentStatus::done;
  EXPECT_EQ(auto_run(task, {.run = a_run(run::Status::completed)}), "completed");
}

TEST(TaskView, JsonHasNullForWhatIsNotThere) {
  const auto o = shown_json(a_task(), {}, "");
  for (const auto* key :
       {"alias", "project", "due", "session_id", "session_started", "run_id", "bg_status", "live", "auto_run", "transcript"})
    EXPECT_TRUE(o.at(key).is_null()) << key;
  EXPECT_EQ(o.at("status").as_string(), "backlog");
  EXPECT_TRUE(o.at("tags").is_array());
}

TEST(TaskTable, RowsHaveTheirNotes) {
  auto task = a_task();
  task.due = "2026-04-14";
  task.waiting_on = "the\nbank";
  task.assignee = "ada";
  task.tags = {"api"};
  task.archived = true;
  const auto row = task_row(task, {.live = true}, {.wall_ms = 1'000'000 + 5 * 3'600'000, .day = "2026-04-15"});
  EXPECT_EQ(row, (TaskRow{"backlog", "medium", "fix-login", "-", "5h", "2026-04-14", "-",
                          "[live] [overdue] [archived] waits on the bank @ada #api"}));
  task.status = store::AssignmentStatus::done;
  EXPECT_EQ(task_row(task, {.live = false}, {.wall_ms = 1'000'000, .day = "2026-04-15"}).back(),
            "[archived] waits on the bank @ada #api");
}

TEST(TaskTable, ColumnsAreAsWideAsTheirWords) {
  const std::vector<TaskRow> rows = {
      {"backlog", "high", "a", "-", "5h", "-", "-", ""},
      {"in-progress", "low", std::string(40, 'b'), "Größe", "1d", "2031-05-06", "running", "[live]"}};
  EXPECT_EQ(task_table(rows, {}),
            "STATUS       PRIORITY  SLUG                                      PROJECT  AGE  DUE         AUTO     NOTES\n"
            "backlog      high      a                                         -        5h   -           -\n"
            "in-progress  low       bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb  Größe    1d   2031-05-06  running  [live]\n");
  const auto cut = task_table(rows, {.cut = Cut::yes});
  EXPECT_NE(cut.find(std::string(31, 'b') + "…"), std::string::npos) << cut;
  EXPECT_EQ(cut.find(std::string(32, 'b')), std::string::npos);
  const auto colored = task_table(rows, {.color = Color::yes});
  EXPECT_NE(colored.find("\x1b[32min-progress"), std::string::npos) << "a live one is green";
  EXPECT_EQ(task_tsv(rows).substr(0, 46), "STATUS\tPRIORITY\tSLUG\tPROJECT\tAGE\tDUE\tAUTO\tNOTE");
  EXPECT_NE(task_tsv(rows).find("backlog\thigh\ta\t\t5h\t\t\t\n"), std::string::npos) << "nothing is empty, not a dash";
}

}  // namespace
}  // namespace cli
