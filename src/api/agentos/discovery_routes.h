#pragma once
// What clients ask first: who is there, is it well, which agents does it have.
#include <vector>

#include "api/router.h"

namespace api::agentos {

void add_discovery_routes(std::vector<Route>& routes);

}  // namespace api::agentos
