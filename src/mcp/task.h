#pragma once
// Tasks of a server, as a client is told of them (2025-11-25). Pure.
#include <cstdint>
#include <optional>
#include <string>

#include "mcp/json_rpc.h"

namespace mcp {

enum class TaskStatus { working, input_required, completed, failed, cancelled };

struct TaskState {
  std::string task_id;
  TaskStatus status = TaskStatus::working;
  std::string message;       // the server's words for it, bounded; "" none
  std::int64_t poll_ms = 0;  // how soon it may be asked again, within our bounds
  bool is_live() const { return status == TaskStatus::working || status == TaskStatus::input_required; }
};

// What tasks/get and tasks/cancel answer. Nothing where it is no task.
std::optional<TaskState> read_task(const json::object& result);

// The task that a tools/call became. Nothing: it was performed at once.
std::optional<TaskState> created_task(const json::object& result);

// Whether `initialize` was answered by a server that makes tools/call a task where it is asked to.
bool offers_tasks(const json::object& capabilities);

}  // namespace mcp
