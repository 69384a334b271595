#pragma once
// `agents` and what of `tools` decides their tools.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/capabilities.h"
#include "app/definition.h"
#include "app/mcp_servers.h"
#include "app/problems.h"
#include "app/yaml.h"

namespace app {

// A module with the tools of it that are meant; empty: all.
struct ModuleUse {
  std::string module;
  std::vector<std::string> tools;
};

// What the whole app says about tools.
struct ToolRules {
  std::map<std::string, const Node*, std::less<>> modules;  // tools.modules: id → block (may be null)
  std::optional<Capabilities> capabilities;
  McpServers mcp;
  run::ToolSettings settings;
  std::optional<std::int64_t> foreground_ms;
};

// `modules` and `capabilities` are the nodes of those blocks; either may be null.
ToolRules read_tool_rules(const Node* modules, const Node* capabilities, Problems& problems);

// What the app's rules say of a tool, whether or not an agent was given its module.
Gate decided_by(const KnownTool& tool, const ToolRules& rules);

// Runtime settings that agents inherit.
struct AgentDefaults {
  const Node* hooks = nullptr;
  run::Limits context;
  std::optional<std::int64_t> max_turns;
  std::optional<std::int64_t> timeout_ms;
  run::TaskLimits tasks;
};

// A `context` block: the limits of a conversation that it declares.
void read_context(const Node& block, const std::string& path, run::Limits& limits, Problems& problems);

std::vector<Agent> read_agents(const Node* list, const ToolRules& rules, const AgentDefaults& defaults, Problems& problems);

}  // namespace app
