#pragma once
// Tells the session's model when a background task shows one of the patterns that its launch asked to be told of.
#include <memory>

#include "aio/scope.h"
#include "engine/deps.h"

namespace engine {

// Until each pattern was seen or the execution is over; each is told once, whatever crashes in between.
aio::Task<> watch_patterns(Deps& deps, store::Run task, std::vector<std::string> patterns, std::weak_ptr<aio::Scope> execution);

}  // namespace engine
