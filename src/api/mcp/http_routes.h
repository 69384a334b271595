#pragma once
// Streamable HTTP: the routes of /mcp. `?session=NAME` names whose tasks its client sees, whatever connection it uses.
#include <vector>

#include "api/router.h"

namespace api::mcp {

void add_mcp_routes(std::vector<Route>& routes);

}  // namespace api::mcp
