#pragma once
// `outlast mcp`: durable background work for one MCP client, over standard input and output.
#include <string>
#include <vector>

namespace cli {

struct McpOptions {
  std::vector<std::string> files;  // app.yaml and profile files
  std::string cwd;                 // "": the current directory
  std::string session;             // whose tasks the client sees; "": one for each directory
  std::string tools;               // what may run in the background, by comma; "": the usual ones
};

int run_mcp(const McpOptions& options);

// "Bash, Read" as names; "none" is none.
std::vector<std::string> tool_names(const std::string& list);

}  // namespace cli
