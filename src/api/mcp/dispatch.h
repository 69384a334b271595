#pragma once
// The protocol, whatever carries it: one request in, its answer out, and on the way what is told to the call's sink.
#include "api/context.h"
#include "api/mcp/call.h"

namespace api::mcp {

// Answers a request. Unknown methods are -32601 (404 where there is no handshake). While it takes long, the client is told so:
// progress, where the request asks for it, else a sign of life. Throws base::Broken.
aio::Task<Answer> answer(Context& context, Message message, Caller caller, Call& call);

// What `initialize` is answered with.
json::object initialize_result(const json::object& params);

}  // namespace api::mcp
