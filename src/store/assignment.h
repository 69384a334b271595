#pragma once
// Named tasks (`outlast task`): a piece of work bound to one session of a coding-agent program at a time. "Task" is in this code a
// background call of an agent (store::kKindTool), so a named task is called an assignment. Times are wall milliseconds.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

using AssignmentNumber = std::int64_t;

enum class AssignmentStatus { backlog, in_progress, done };
// "backlog", "in-progress", "done".
std::string_view name(AssignmentStatus status);
std::optional<AssignmentStatus> parse_assignment_status(std::string_view name);

struct Assignment {
  AssignmentNumber number = 0;
  std::int64_t version = 0;  // grows with every change: who decided on an older one looks again
  std::string slug, alias;   // unique among all
  std::string name, project;
  AssignmentStatus status = AssignmentStatus::backlog;
  std::string priority = "medium";  // "high", "medium", "low"
  std::string due;                  // YYYY-MM-DD or ""
  std::string assignee, waiting_on;
  std::vector<std::string> tags;
  std::string work_dir;             // absolute
  std::string repository;           // of which the working directory is a worktree that belongs to this task; "": it is none
  std::string check;                // a shell command that must succeed before the work counts as done; "" none
  std::string notify;               // a shell command that is told when an agent of it waits or ends; "" none
  std::string brief;                // absolute path of its file; the directory "updates" lies beside it
  std::string harness;              // pinned; "" not yet
  std::string session_id;           // the harness's, as it confirmed it; "": none is bound
  bool background = false;          // ... that session is a background agent of the harness's own
  bool unattended = false;          // it was started so last
  std::string run_id;               // the newest run
  std::int64_t starts = 0;          // runs that were launched for it: the next one's key
  bool archived = false;
  std::int64_t session_started_ms = 0, session_resumed_ms = 0;
  std::int64_t created_ms = 0, updated_ms = 0;
};

// One fact of its history, which is only added to.
struct AssignmentEntry {
  std::int64_t at_ms = 0;
  std::string type;  // "created", "started", "session", "discarded", "status" ...
  std::string data;  // JSON text of an object
};

struct AssignmentFilter {
  std::optional<AssignmentStatus> status;
  std::string project, priority;
  std::vector<std::string> tags;    // all of them
  std::int64_t updated_since_ms = 0;
  bool include_done = false, include_archived = false;  // a status that is asked for is included
};

}  // namespace store
