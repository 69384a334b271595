#pragma once
// The offered tools as data. Pure.
#include <optional>
#include <span>
#include <string_view>

namespace api::mcp {

enum class ToolKind { background_run, run_parallel, run_start, run_status, run_wait, run_events, run_cancel, run_continue };

struct OfferedTool {
  ToolKind kind;
  std::string_view name, title, description;
  std::string_view schema;  // JSON; "": as the tool of that name defines it
  bool can_be_task = false, reads_only = false;
};

std::span<const OfferedTool> tool_table();
const OfferedTool* find_tool(std::string_view name);

}  // namespace api::mcp
