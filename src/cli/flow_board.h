#pragma once
// A flow's present state in a few lines, for a terminal that is looked at. Pure.
#include <cstdint>
#include <string>
#include <vector>

#include "run/flow.h"

namespace cli {

// What runs, what comes next, and how far it is; at most a dozen lines.
std::vector<std::string> flow_board(const run::FlowState& state, std::int64_t now_ms);

}  // namespace cli
