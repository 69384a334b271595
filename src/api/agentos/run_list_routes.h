#pragma once
// Lists of runs: of one session (AgentOS'), and across sessions (Outlast's own).
#include <vector>

#include "api/router.h"

namespace api::agentos {

void add_run_list_routes(std::vector<Route>& routes);

}  // namespace api::agentos
