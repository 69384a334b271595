#pragma once
// The end of an execution that another process is to go on with.
#include "engine/deps.h"

namespace engine {

// Gives the run back to the store. False: it could not be told. That is no reason to fail the run: the executor tries again, or the
// lease ends with this process.
aio::Task<bool> hand_over(Deps& deps, const store::Run& run);

}  // namespace engine
