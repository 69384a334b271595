#pragma once
// `runtime.hooks` and `agents[].hooks`: read, checked, and with the tools that they may call.
#include <string>
#include <vector>

#include "app/agents.h"
#include "app/problems.h"
#include "app/yaml.h"
#include "run/hook.h"

namespace app {

struct HookEntry {
  run::Hook hook;
  std::int64_t priority = 100;     // lower ones fire first
  std::vector<std::string> tools;  // that it calls and that the app's rules allow, by the model's names
};

// `list` may be null. Disabled hooks are checked and left out.
std::vector<HookEntry> read_hooks(const Node* list, const std::string& path, const ToolRules& rules, Problems& problems);

// Puts the app's hooks and the agent's own into the order in which they fire.
void give_hooks(Agent& agent, std::vector<HookEntry> hooks);

}  // namespace app
