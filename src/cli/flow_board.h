#pragma once
// A flow's present state in a few lines, for a terminal that is looked at. Pure.
#include <cstdint>
#include <string>
#include <vector>

#include "run/flow.h"

namespace cli {

// A run below the flow that waits for a person's decision.
struct PausedRun {
  std::string run_id, agent;
};

// What runs, what waits for a decision and how it is given, what comes next, and how far it is; at most 17 lines.
std::vector<std::string> flow_board(const run::FlowState& state, const std::vector<PausedRun>& paused, std::int64_t now_ms);

}  // namespace cli
