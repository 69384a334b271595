#pragma once
// The modules and tools that app files may name: those that exist here, and those of Digitorn that do not (yet).
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace app {

enum class Risk { low, medium, high };
enum class Exists { now, later };
enum class Offer {
  by_default,  // as the capabilities say
  by_name,     // only where it is granted or approved by its name
};

struct KnownTool {
  std::string_view module;
  std::string_view action;
  std::string_view name;  // tool::Definition::name
  Risk risk = Risk::low;
  Exists exists = Exists::now;
  Offer offer = Offer::by_default;
};

std::span<const KnownTool> known_tools();

// By the model's name, "module.action", "module__action" or the action alone, any case.
const KnownTool* find_tool(std::string_view name);
// By module and by action or name, any case.
const KnownTool* find_tool(std::string_view module, std::string_view action);

// Module ids of Digitorn; "mcp_<server>" names the tools of an MCP server.
bool known_module(std::string_view id);
const std::vector<std::string_view>& module_ids();
// All its tools exist here, so that an unknown action of it is a mistake.
bool complete_module(std::string_view id);
// Part of every app, never declared: primitives such as background_run.
bool system_module(std::string_view id);

}  // namespace app
