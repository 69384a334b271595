#pragma once
// Durable runs of the served agents as MCP clients see them. Every agent run of the home can be read by its exact id, as through
// the AgentOS API behind the same doors.
#include <optional>
#include <string>

#include "api/context.h"
#include "api/mcp/call.h"
#include "store/types.h"

namespace api::mcp {

// The user id of runs that a caller started: they are its tasks too.
std::string user_of(const Caller& caller);

// run_start's arguments as a durable run. Errc::invalid_argument, not_found (the agent), busy, conflict (the key names another).
aio::Task<base::Result<store::Run>> start_run(Context& context, json::object arguments, Caller caller, std::string key);

// A run of an agent. Errc::not_found.
aio::Task<base::Result<store::Run>> find_agent_run(Context& context, std::string run_id);

// Waits until the run has ended or waits for a decision, until `until_ms` of the steady clock, or until the call's waits are
// cut; the run as it is then. Any kind of run. Errc::not_found: it was removed.
aio::Task<base::Result<store::Run>> wait_for_run(Context& context, store::Run run, std::int64_t until_ms, Call& call);

// {run_id, session_id, agent, status, reason, created_at, ended_at?, event_count, content, error?, waits_for?, waiting_calls?}
aio::Task<json::object> describe_run(Context& context, store::Run run);

// run_continue's arguments as decisions about what the run waits for: {run_id, status, waiting_calls}. Errc::invalid_argument,
// not_found (a call), conflict (it does not wait any more, or was decided otherwise).
aio::Task<base::Result<json::object>> continue_run(Context& context, store::Run run, json::object arguments);

// {run_id, status, events, next, first_kept, event_count}: JSON text, events as the log has them, each with its index.
aio::Task<std::string> events_of(Context& context, store::Run run, std::uint64_t from, std::int64_t limit);

}  // namespace api::mcp
