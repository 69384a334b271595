#pragma once
// A task in words: the lines of `outlast task show`, a row of `outlast task list`, and both as JSON. Pure.
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "run/message.h"
#include "store/assignment.h"
#include "store/types.h"

namespace cli {

// What is known of a task besides its row in the store.
struct TaskNow {
  std::optional<store::Run> run;   // its newest, where it was looked for
  std::optional<bool> live;        // whether its session has a process; nothing: that was not found out
  std::vector<std::int64_t> pids;  // of a supervised session's processes
  std::string bg_status;           // of a background session, where its registry was to be asked
  std::string registry_failure;    // why that could not be asked
  std::vector<run::ToolCall> asks = {};  // what it waits for a person to decide, where that was looked for
  std::string waits = {};                // why it waits by itself, and until when
};

// "idle/done", whichever of both there is, else "unknown"; and who that is: "idle/done (pid 23274, id c738d8d5)".
struct Background {
  std::string status, state, id;
  std::int64_t pid = 0;
};
std::string background_text(const Background& session);

// How it stands with the work on a task, in a few words: "never started", "running (pid 23274)" ...
std::string task_state(const store::Assignment& task, const TaskNow& now);
// How its unattended run does: "running", "completed", "failed"; "" where the last start was not one.
std::string auto_run(const store::Assignment& task, const TaskNow& now);

using Lines = std::vector<std::pair<std::string, std::string>>;
// `key: value` in their order; what is not there is "-".
Lines task_lines(const store::Assignment& task, const TaskNow& now, const std::string& transcript);
std::string history_text(const std::vector<store::AssignmentEntry>& entries);

// What the store has of it: the part that `list` and `show` share.
boost::json::object task_json(const store::Assignment& task);
// The same as text, with how it stands with the work: one element of the list.
void append_listed(std::string& out, const store::Assignment& task, const TaskNow& now);
boost::json::object shown_json(const store::Assignment& task, const TaskNow& now, const std::string& transcript);
boost::json::array history_json(const std::vector<store::AssignmentEntry>& entries);

}  // namespace cli
