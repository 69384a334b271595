#include "api/mcp/task_view.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

namespace api::mcp {

std::string_view task_status(const TaskSnapshot& task, Revision revision) {
  switch (task.status) {
    case run::Status::pending:
    case run::Status::running: return "working";
    // Without a handshake the status promises requests that the client can answer, and there are none: a person decides elsewhere.
    case run::Status::paused: return revision == Revision::handshake ? "input_required" : "working";
    case run::Status::completed: return "completed";
    case run::Status::error: return revision == Revision::handshake || task.lost ? "failed" : "completed";
    case run::Status::cancelled: return "cancelled";
  }
  return "failed";
}

json::object task_fields(const TaskSnapshot& task, Revision revision, std::optional<std::int64_t> ttl_ms) {
  const bool stateless = revision == Revision::stateless;
  json::object out{{"taskId", task.task_id},
                   {"status", task_status(task, revision)},
                   {"createdAt", base::iso_utc_ms(task.created_ms)},
                   {"lastUpdatedAt", base::iso_utc_ms(task.updated_ms)},
                   {stateless ? "ttlMs" : "ttl", ttl_ms ? json::value(*ttl_ms) : json::value()},
                   {stateless ? "pollIntervalMs" : "pollInterval", base::limits::kMcpPollMs}};
  if (!task.message.empty()) out["statusMessage"] = task.message;
  return out;
}

json::object detailed_task(const TaskSnapshot& task, std::optional<std::int64_t> ttl_ms) {
  auto out = task_fields(task, Revision::stateless, ttl_ms);
  const auto status = task_status(task, Revision::stateless);
  if (status == "completed") out["result"] = task.result;
  if (status == "failed")
    out["error"] = json::object{{"code", static_cast<int>(Code::internal_error)},
                                {"message", task.message.empty() ? "the task was lost" : task.message},
                                {"data", task.result}};
  return out;
}

json::object task_result(const TaskSnapshot& task) {
  auto out = task.result;
  auto& meta = out["_meta"];
  if (!meta.is_object()) meta = json::object();
  meta.get_object()["io.modelcontextprotocol/related-task"] = json::object{{"taskId", task.task_id}};
  return out;
}

json::object text_result(std::string_view text, bool is_error) {
  json::array content;
  content.push_back(json::object{{"type", "text"}, {"text", text}});
  return {{"content", std::move(content)}, {"isError", is_error}};
}

}  // namespace api::mcp
