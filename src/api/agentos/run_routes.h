#pragma once
// The routes of runs: start, read, list, resume, cancel, continue.
#include <vector>

#include "api/router.h"

namespace api::agentos {

void add_run_routes(std::vector<Route>& routes);

}  // namespace api::agentos
