#pragma once
// The live stream of one session to one client: turn after turn, for as long as the client stays (ARCHITECTURE.md "Readers
// pull").
#include <cstdint>

#include "api/context.h"
#include "net/http_server.h"

namespace api::apps {

// Sends the session's events from number `from` on. Ends properly when the session is removed; else only the client or a stop of
// the server ends it. Io thread; `reply` and `context` outlive the task.
aio::Task<> stream_session(Context& context, net::HttpReply& reply, store::Session session, std::uint64_t from);

}  // namespace api::apps
