#pragma once
// The tools of an MCP server as agents call them.
#include <memory>
#include <string>
#include <vector>

#include "mcp/client.h"
#include "tool/tool.h"

namespace tool {

// Each under its name for models (mcp/names.h), module "mcp_SERVER", action as the server knows it. Arguments are validated here
// where the server's schema can be compiled and is cheap to follow, else by the server.
std::vector<std::unique_ptr<Tool>> mcp_tools(const std::string& server, std::shared_ptr<mcp::Client> client,
                                             const mcp::ToolList& list);

// What a CallToolResult says: its texts; its structured content where there is no text; everything else by its type and size.
// Pure.
Outcome outcome_of(const boost::json::object& result);

}  // namespace tool
