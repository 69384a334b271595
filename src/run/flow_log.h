#pragma once
// flow.log: what a person reads of a flow, as a function of its log, byte for byte (docs/formats/flow.md). Pure.
#include <string>

#include "run/flow.h"

namespace run {

// The lines that an event adds; `state` is the fold with it. Most add none.
void append_flow_lines(std::string& out, const FlowState& state, const Spec& spec, const Event& event);

// What follows the last line when the flow has ended: a block for each answer, then how to go on with each agent.
struct FlowResults {
  std::string blocks, hints;
};
FlowResults flow_results(const FlowState& state, const Spec& spec, const std::string& orchestrator_branch);

// "9.4s"
std::string seconds_text(std::int64_t ms);

}  // namespace run
