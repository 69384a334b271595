#pragma once
// A session as AgentOS' JSON shapes: SessionSchema (lists) and the detail of each type. docs/formats/agentos.md.
#include <boost/json/object.hpp>
#include <functional>

#include "api/agentos/run_view.h"
#include "api/context.h"
#include "store/types.h"

namespace api::agentos {

json::object session_summary(const store::Session& session);

// Its chat and its tokens are those of its runs.
aio::Task<json::object> session_detail(Context& context, store::Session session);

// The session's own state, where it has one.
json::value session_state(const store::Session& session);

// All runs of a session, oldest first, folded one after the other and handed to `take`. `filter` names the session.
aio::Task<> each_run(Context& context, store::RunFilter filter, std::function<bool(const store::Run&)> wanted,
                     std::function<void(const RunView&)> take);

}  // namespace api::agentos
