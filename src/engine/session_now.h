#pragma once
// The session that a call belongs to. A background task may be moved while its executor goes on with it (run::OnEnd), so what
// that has read is not relied upon.
#include <string>

#include "store/store.h"
#include "tool/tool.h"

namespace engine {

// The caller is a task, not a turn or a client: only tasks are moved.
bool is_task(const tool::Context& caller);

// Both outlive it.
aio::Task<std::string> session_now(store::Store& store, const tool::Context& caller);

}  // namespace engine
