#pragma once
// A flow's graph as a file: DIR/flow_dag.png (svg, dot, mmd). Pictures are made by Graphviz where it is installed.
#include <string>

#include "cli/process.h"
#include "store/types.h"

namespace cli {

// Says what is wrong with a warning: the flow has been run all the same.
aio::Task<> write_graph(Process& process, store::Run run, std::string format);

}  // namespace cli
