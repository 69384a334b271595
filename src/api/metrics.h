#pragma once
// GET /metrics in the Prometheus text format, from the engine's counters.
#include <vector>

#include "api/router.h"

namespace api {

void add_metrics_route(std::vector<Route>& routes);

}  // namespace api
