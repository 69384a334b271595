#pragma once
// background_run and run_parallel: calls that make other calls as tasks (docs/background.md).
#include <memory>
#include <vector>

#include "aio/time.h"
#include "tool/tool.h"

namespace tool {

// `time` outlives the tools.
std::vector<std::unique_ptr<Tool>> task_tools(aio::Time& time);

}  // namespace tool
