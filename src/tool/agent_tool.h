#pragma once
// Agent: gives work to another agent of the app (docs/background.md "Sub-agents").
#include <memory>

#include "aio/time.h"
#include "tool/agents.h"
#include "tool/tool.h"

namespace tool {

// Both outlive the tool.
std::unique_ptr<Tool> agent_tool(aio::Time& time, Agents& agents);

}  // namespace tool
