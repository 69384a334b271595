#pragma once
// subscriptions/listen: tells its client of its tasks until it leaves (2026-07-28).
#include "api/context.h"
#include "api/mcp/call.h"

namespace api::mcp {

// Acknowledges, then sends notifications/tasks, each with the whole task, at every change of status. Comes back when the call's
// waits are cut, the client is gone, or the server stops.
aio::Task<Answer> listen(Context& context, Message message, Caller caller, Call& call);

}  // namespace api::mcp
