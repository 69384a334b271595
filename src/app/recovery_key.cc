#include "app/recovery_key.h"

#include <algorithm>

#include "app/catalogue.h"
#include "mcp/names.h"
#include "run/recovery.h"

namespace app {

namespace {

std::optional<run::Recovery> policy_of(const Node& node, const std::string& path, Problems& problems) {
  const auto word = as_text(node).value_or("");
  const auto policy = run::parse_recovery(word);
  if (!policy) {
    const std::vector<std::string_view> names(run::recovery_names().begin(), run::recovery_names().end());
    std::string message = "must be one of: ";
    for (const auto name : names) message += (name == names.front() ? "" : ", ") + std::string(name);
    problems.add(path, message + did_you_mean(word, names), node.mark, Code::choice);
  }
  return policy;
}

// "mcp_github.create_issue" or "mcp_github__create_issue": a tool of one of the agent's servers. It gets an entry of its own,
// with the gate that it has among the rest; null where it is none, or none that the agent has.
ToolGrant* grant_of_server(Agent& agent, std::string_view name) {
  for (const auto& server : agent.mcp_servers) {
    const auto module = mcp::module_of(server);
    if (!name.starts_with(module)) continue;
    auto tool = name.substr(module.size());
    if (!tool.starts_with('.') && !tool.starts_with("__")) continue;
    tool.remove_prefix(tool.starts_with('.') ? 1 : 2);
    const auto own = tool == "*" ? mcp::all_of(server) : mcp::model_name(server, tool);
    auto grant = std::ranges::find(agent.tools, own, &ToolGrant::name);
    if (grant != agent.tools.end()) return grant->gate == Gate::deny ? nullptr : &*grant;
    const auto rest = std::ranges::find(agent.tools, mcp::all_of(server), &ToolGrant::name);
    if (rest == agent.tools.end()) return nullptr;
    return &*agent.tools.insert(rest, {.name = own, .gate = rest->gate});
  }
  return nullptr;
}

void read_tool(const Member& member, const std::string& path, Agent& agent, Problems& problems) {
  const auto policy = policy_of(member.value, path, problems);
  if (member.key.starts_with("mcp_")) {
    if (auto* grant = grant_of_server(agent, member.key))
      grant->recovery = policy;
    else
      problems.warn(path, "the agent has no tool '" + shown(member.key) + "'", member.mark);
    return;
  }
  const auto* tool = find_tool(member.key);
  if (!tool) {
    std::vector<std::string_view> names = {"default"};
    for (const auto& known : known_tools()) names.push_back(known.name);
    problems.add(path, "there is no tool '" + shown(member.key) + "'" + did_you_mean(member.key, names), member.mark, Code::tool);
    return;
  }
  const auto grant = std::ranges::find(agent.tools, tool->name, &ToolGrant::name);
  if (grant == agent.tools.end())
    problems.warn(path, "the agent has no tool '" + std::string(tool->name) + "'", member.mark);
  else
    grant->recovery = policy;
}

}  // namespace

void read_recovery(const Node* node, const std::string& path, Agent& agent, Problems& problems) {
  if (!node || node->is_null()) return;
  if (node->is_scalar()) agent.recovery = policy_of(*node, path, problems);
  for (const auto& member : node->members) {
    const auto at = child(path, member.key);
    if (member.key == "default")
      agent.recovery = policy_of(member.value, at, problems);
    else
      read_tool(member, at, agent, problems);
  }
}

}  // namespace app
