#pragma once
// Tasks: tool calls that go on without their caller. A task is a run of kind `tool`, so its log, end, cancel and recovery are
// those of every run; here is what a tool may do with them. Implemented by the engine. Io thread.
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aio/task.h"
#include "base/error.h"
#include "run/spec.h"
#include "tool/output_scan.h"

namespace tool {

struct Context;

enum class TaskState { running, completed, errored, cancelled, interrupted };
// running, completed, failed, cancelled / running, completed, errored, cancelled, interrupted
std::string_view status_word(TaskState state);
std::string_view state_word(TaskState state);

// What is known of a task now. Times are wall milliseconds, 0: not yet.
struct TaskView {
  std::string task_id = {};
  std::string name = {};       // the tool's, as it is granted: "Bash"
  std::string full_name = {};  // "shell.bash"
  TaskState state = TaskState::running;
  std::string waits_for = {};  // what a task that does not run yet waits for; ""
  std::int64_t started_ms = 0, ended_ms = 0;
  std::string arguments = {};  // JSON text
  std::string result = {};     // what the tool answered, once it has; JSON text or plain text
  std::string cause = {};      // why it ended otherwise than by its answer: "cancelled", "lost: ..."
  bool is_live() const { return state == TaskState::running; }
};

struct TaskLaunch {
  std::string name = {};                      // any name of a tool
  boost::json::object arguments = {};         // as the tool takes them
  std::vector<std::string> notify_when = {};  // patterns: when its output shows one, the model is told
  run::After after = {};
  std::optional<run::Watch> watch = {};
  std::string key = {};                       // within the calling run: the same key is the same task
  bool foreground = false;  // it is the calling call itself, made as a task so that it can go on without its caller
  bool counted = false;     // it is what the calling call asks for itself, which was held against the rate limits
  bool awaited = false;     // the call that launches it also waits for it: its end is no news, and it is not listed
};

class Tasks {
 public:
  virtual ~Tasks() = default;

  // Errc::denied: there is no such tool, or the caller may not use it. Errc::busy: the session's cap is reached.
  virtual aio::Task<base::Result<TaskView>> launch(const Context& caller, TaskLaunch launch) = 0;
  // Of the caller's session: another's task is not found.
  virtual aio::Task<base::Result<TaskView>> find(const Context& caller, std::string task_id) = 0;
  // Live ones first, then ended ones, newest first; without results.
  virtual aio::Task<std::vector<TaskView>> list(const Context& caller) = 0;
  // Comes back when one of them (or all) has ended, or at `until_ms` of the steady clock. Ids that are unknown are left out.
  enum class Until { any, all };
  virtual aio::Task<std::vector<TaskView>> wait(const Context& caller, std::vector<std::string> task_ids, Until until,
                                                std::int64_t until_ms) = 0;
  // Comes back when the whole tree is gone, or with the task as it is after a bounded time. One that had ended is returned as it
  // is.
  virtual aio::Task<base::Result<TaskView>> cancel(const Context& caller, std::string task_id) = 0;
  // A task that its launch waited for goes on by itself: it is listed, and its end is news. As it is now.
  virtual aio::Task<base::Result<TaskView>> promote(const Context& caller, std::string task_id) = 0;
  // Before the end of a run: the tasks that only its own calls wait for end with it, whole trees.
  virtual aio::Task<> end_awaited(std::string session_id, std::string run_id) = 0;
  // What its process has written so far, or a request to it. Errc::unsupported: its tool has no process.
  virtual aio::Task<base::Result<boost::json::object>> output(const TaskView& task, std::size_t tail_lines) = 0;
  // Looks for a pattern in its output since `from`.
  virtual aio::Task<base::Result<Sighting>> scan(const TaskView& task, std::string pattern, ScanFrom from) = 0;
  virtual aio::Task<base::Result<>> send(const TaskView& task, boost::json::object request) = 0;
};

}  // namespace tool
