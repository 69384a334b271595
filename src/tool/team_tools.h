#pragma once
// Module `team`: team_send, team_receive, for runs that have a seat in a team (run::Spec::seat). Flows grant them; app files
// and `--tools` do not know them.
#include <memory>
#include <vector>

#include "tool/tool.h"

namespace tool {

std::vector<std::unique_ptr<Tool>> team_tools();

}  // namespace tool
