#pragma once
// The routes of sessions, and GET /runs across them.
#include <vector>

#include "api/router.h"

namespace api::agentos {

void add_session_routes(std::vector<Route>& routes);

}  // namespace api::agentos
