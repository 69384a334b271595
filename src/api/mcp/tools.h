#pragma once
// The tools that MCP clients are offered: background_run and run_parallel as agents know them, and durable runs of the served
// agents.
#include <optional>
#include <string>
#include <string_view>

#include "api/context.h"
#include "api/mcp/call.h"

namespace api::mcp {

// As tools/list has them, for the caller's revision.
json::array offered_tools(const Context& context, const Caller& caller);

// tools/call. Becomes a task where the caller asks for one (2025-11-25), or where it takes tasks and would wait (2026-07-28).
aio::Task<Answer> call_tool(Context& context, json::object params, Caller caller, Call& call);

}  // namespace api::mcp
