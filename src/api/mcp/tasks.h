#pragma once
// MCP tasks: durable tasks and runs by their run id, in both revisions.
#include <optional>
#include <string>

#include "api/context.h"
#include "api/mcp/call.h"
#include "api/mcp/task_view.h"

namespace api::mcp {

// The run behind a task id: a background task of the caller's session, or an agent's run that it started. Errc::not_found.
aio::Task<base::Result<store::Run>> find_task(Context& context, Caller caller, std::string task_id);

// As the run tells it; with the result of one that has ended.
aio::Task<TaskSnapshot> snapshot(Context& context, store::Run run);

// What a client is told of how long results are kept.
std::optional<std::int64_t> ttl_of(const Context& context);

// What a tools/call that became a task is answered with.
json::object create_task_result(const Context& context, const TaskSnapshot& task, const Caller& caller);

// tasks/get, tasks/result, tasks/list, tasks/cancel, tasks/update, as far as the caller's revision has them; nothing for
// any other method.
aio::Task<std::optional<Answer>> answer_task_method(Context& context, Message message, Caller caller, Call& call);

}  // namespace api::mcp
