#pragma once
// Which tools an agent gets, behind which gate: what the app declares, what its rules say, and what the agent asks for.
#include <optional>
#include <vector>

#include "app/agents.h"
#include "app/capabilities.h"

namespace app {

// The agent's tools and MCP servers. What tools a server has is not known before it is asked, so those that a rule names stand by
// name, and one entry "mcp_SERVER__*" stands for the rest.
void give_tools(Agent& agent, const ToolRules& rules, const std::vector<ModuleUse>& uses, const std::optional<Capabilities>& own);

}  // namespace app
