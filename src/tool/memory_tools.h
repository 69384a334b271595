#pragma once
// Module `memory`: remember, set_goal, task_create, task_update, recall, forget (docs/app-files.md).
#include <memory>
#include <vector>

#include "tool/tool.h"

namespace tool {

std::vector<std::unique_ptr<Tool>> memory_tools();

}  // namespace tool
