#pragma once
// POST .../continue: a decision about the tool calls that a paused run waits for.
#include "api/agentos/delivery.h"
#include "api/context.h"
#include "api/request.h"

namespace api::agentos {

// The leg that the decision began (or had begun: a decision is consumed once, and its retry meets the same leg).
// `request` is used up.
aio::Task<Outcome> continue_leg(Context& context, Request& request);

}  // namespace api::agentos
