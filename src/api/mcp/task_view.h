#pragma once
// A durable task in the words of either revision. Pure.
#include <cstdint>
#include <optional>
#include <string>

#include "api/mcp/protocol.h"
#include "run/status.h"

namespace api::mcp {

enum class Revision { handshake, stateless };  // 2025-11-25, 2026-07-28

struct TaskSnapshot {
  std::string task_id = {};  // the run's
  run::Status status = run::Status::pending;
  std::string message = {};  // for people; "" none
  std::int64_t created_ms = 0, updated_ms = 0;
  bool lost = false;         // its process was lost: nobody knows what it came to
  json::object result = {};  // of one that has ended: a CallToolResult
};

// working, input_required, completed, failed or cancelled. A tool's own error is "failed" with a handshake, "completed" without.
std::string_view task_status(const TaskSnapshot& task, Revision revision);

// taskId, status, times, ttl or ttlMs (null: kept for ever), poll interval.
json::object task_fields(const TaskSnapshot& task, Revision revision, std::optional<std::int64_t> ttl_ms);

// tasks/get of 2026-07-28: the fields, and `result` or `error` of one that has ended.
json::object detailed_task(const TaskSnapshot& task, std::optional<std::int64_t> ttl_ms);

// tasks/result of 2025-11-25: the result, with the task that it is of.
json::object task_result(const TaskSnapshot& task);

// {"content":[{"type":"text",...}],"isError":...}
json::object text_result(std::string_view text, bool is_error);

}  // namespace api::mcp
