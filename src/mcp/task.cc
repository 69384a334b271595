#include "mcp/task.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace mcp {

namespace limits = base::limits;

namespace {

constexpr std::array<std::string_view, 5> kStatuses = {"working", "input_required", "completed", "failed", "cancelled"};
constexpr std::size_t kTaskIdBytesMax = 1 << 10;
constexpr std::size_t kMessageBytesMax = 1 << 10;

}  // namespace

std::optional<TaskState> read_task(const json::object& result) {
  const auto id = base::string_field(result, "taskId");
  const auto status = std::ranges::find(kStatuses, base::text_or_empty(result, "status"));
  if (!id || id->empty() || id->size() > kTaskIdBytesMax || status == kStatuses.end()) return std::nullopt;
  const auto poll_ms = base::int_field(result, "pollInterval").value_or(limits::kMcpPollMs);
  return TaskState{.task_id = std::string(*id),
                   .status = static_cast<TaskStatus>(status - kStatuses.begin()),
                   .message = std::string(base::utf8_prefix(base::text_or_empty(result, "statusMessage"), kMessageBytesMax)),
                   .poll_ms = std::clamp(poll_ms, limits::kMcpPollMsMin, limits::kMcpPollMsMax)};
}

std::optional<TaskState> created_task(const json::object& result) {
  const auto* task = base::object_field(result, "task");
  return task ? read_task(*task) : std::nullopt;
}

bool offers_tasks(const json::object& capabilities) {
  const json::object* at = &capabilities;
  for (const auto key : {"tasks", "requests", "tools", "call"}) {
    at = base::object_field(*at, key);
    if (!at) return false;
  }
  return true;
}

}  // namespace mcp
