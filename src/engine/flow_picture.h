#pragma once
// A flow's graph as a file: DIR/flow_dag.png, .svg, .dot or .mmd. Pictures are made by Graphviz, where it is installed.
#include <string>

#include "run/flow.h"

namespace engine {

// Blocks; may be called on any thread. Throws base::Broken, with what to do, where there is no picture.
void draw_flow(const run::FlowState& state, const std::string& directory, const std::string& format);

}  // namespace engine
