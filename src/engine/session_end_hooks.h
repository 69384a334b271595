#pragma once
// `session_end`: what the hooks of a session's last turn do before it is removed (docs/hooks.md).
#include <cstdint>
#include <string>

#include "engine/deps.h"

namespace engine {

// Until they have done it, or `until_ms` of the steady clock. Once for a session: their firings are facts of its last turn.
// Whatever goes wrong is a line in the log.
aio::Task<> fire_session_end(Deps& deps, std::string session_id, std::int64_t until_ms);

}  // namespace engine
