#include "app/catalogue.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace app {

namespace {

using enum Risk;
using enum Exists;
using enum Offer;

constexpr KnownTool kTools[] = {
    {"filesystem", "read", "Read", low},
    {"filesystem", "write", "Write", medium},
    {"filesystem", "edit", "Edit", medium},
    {"filesystem", "glob", "Glob", low},
    {"filesystem", "grep", "Grep", low},
    {"shell", "bash", "Bash", high},
    {"memory", "remember", "remember", low},
    {"memory", "set_goal", "set_goal", low},
    {"memory", "task_create", "task_create", low},
    {"memory", "task_update", "task_update", low},
    {"memory", "recall", "recall", low},
    {"memory", "forget", "forget", low},
    {"context_builder", "background_run", "background_run", medium, now, by_name},
    {"context_builder", "run_parallel", "run_parallel", low, now, by_name},
    {"context_builder", "ask_user", "ask_user", low, now, by_name},
    {"agent_spawn", "agent", "Agent", medium},
    {"context_builder", "call_app", "call_app", medium, later, by_name},
};

bool same(std::string_view a, std::string_view b) { return base::to_lower(a) == base::to_lower(b); }

}  // namespace

std::span<const KnownTool> known_tools() { return kTools; }

const KnownTool* find_tool(std::string_view name) {
  for (const auto& tool : kTools)
    if (same(tool.name, name)) return &tool;
  for (const auto& tool : kTools) {
    const std::string module(tool.module);
    const std::string action(tool.action);
    if (same(action, name) || same(module + "." + action, name) || same(module + "__" + action, name)) return &tool;
  }
  return nullptr;
}

const KnownTool* find_tool(std::string_view module, std::string_view action) {
  for (const auto& tool : kTools)
    if (same(tool.module, module) && (same(tool.action, action) || same(tool.name, action))) return &tool;
  return nullptr;
}

const std::vector<std::string_view>& module_ids() {
  static const std::vector<std::string_view> ids = {
      "filesystem",      "shell",        "http", "web",      "database",     "memory", "agent_spawn", "behavior",
      "context_builder", "llm_provider", "rag",  "vector",   "index_module", "index",  "workspace",   "preview",
      "web_preview",     "widget",       "mcp",  "channels", "lsp",          "queue",  "cron_native", "dev_tools"};
  return ids;
}

bool known_module(std::string_view id) {
  const auto& ids = module_ids();
  return std::find(ids.begin(), ids.end(), id) != ids.end() || (id.starts_with("mcp_") && id.size() > 4);
}

bool complete_module(std::string_view id) {
  return id == "filesystem" || id == "shell" || id == "memory" || id == "agent_spawn";
}

bool system_module(std::string_view id) { return id == "context_builder" || id == "llm_provider" || id == "index"; }

}  // namespace app
