#pragma once
// `tools.modules.mcp.config.servers`: the MCP servers of an app.
#include <string>
#include <string_view>
#include <vector>

#include "app/definition.h"
#include "app/problems.h"
#include "app/yaml.h"

namespace app {

inline constexpr std::string_view kMcpModule = "mcp";
inline constexpr std::string_view kMcpServersPath = "modules.mcp.config.servers";

struct McpServers {
  std::vector<McpServer> servers;
  std::vector<std::string> unsupported;  // declared, but of a kind that is not spoken: their tools are missing, not unknown
};

// A map by name, or a list whose items have a name. `block` is that of the module, may be null. All problems are DGT-E0312.
McpServers read_mcp_servers(const Node* block, Problems& problems);

}  // namespace app
