#pragma once
// What a session's model is to be told before its next call, in the documented words.
#include <vector>

#include "engine/deps.h"
#include "run/agent.h"

namespace engine {

// Not told yet, oldest first, at most a bounded number. A notice whose task is gone is told as such. A task whose process has
// ended while nobody watched (a crash) and whose run has not is waited for, for a moment.
aio::Task<std::vector<std::pair<std::int64_t, run::Notice>>> waiting_notices(Deps& deps, const store::Run& run);

}  // namespace engine
