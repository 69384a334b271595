#pragma once
// A call that is made again and again: what changes in its output is news for the session's model, and a pattern may end it.
#include "engine/step.h"

namespace engine {

// Makes the calls of `step.spec.watch`. `context` is that of one call. Cancelling the awaiting task ends it as a call's.
aio::Task<tool::Outcome> perform_watch(Step step, run::ToolCall call, tool::Context context);

}  // namespace engine
