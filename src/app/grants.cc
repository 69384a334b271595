#include "app/grants.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "mcp/names.h"

namespace app {

namespace {

bool contains(const std::vector<std::string>& actions, const KnownTool& tool) {
  return std::ranges::any_of(actions, [&](const std::string& action) {
    const auto lower = base::to_lower(action);
    return lower == base::to_lower(tool.action) || lower == base::to_lower(tool.name);
  });
}

const Node* constraints_of(std::string_view module, const ToolRules& rules) {
  const auto found = rules.modules.find(module);
  return found != rules.modules.end() && found->second ? found->second->find("constraints") : nullptr;
}

bool allowed_by_constraints(const KnownTool& tool, const ToolRules& rules) {
  const auto* constraints = constraints_of(tool.module, rules);
  if (!constraints) return true;
  const auto* readonly = constraints->find("readonly");
  // The shell stays, for commands that only read (run::ShellSettings).
  if (readonly && as_bool(*readonly) == true && tool.risk != Risk::low && tool.module != "shell") return false;
  if (const auto* allowed = constraints->find("allowed_actions"); allowed && !contains(texts_of(allowed), tool)) return false;
  const auto* blocked = constraints->find("blocked_actions");
  return !blocked || !contains(texts_of(blocked), tool);
}

bool used(const KnownTool& tool, const std::vector<ModuleUse>& uses) {
  if (uses.empty() || system_module(tool.module)) return true;
  return std::ranges::any_of(uses, [&](const ModuleUse& use) {
    const bool meant = use.module == tool.module || (use.module == kMcpModule && tool.module.starts_with("mcp_"));
    return meant && (use.tools.empty() || contains(use.tools, tool));
  });
}

// Collects what the rules name of one server: each tool once, however it is spelled.
class NamedTools {
 public:
  explicit NamedTools(const std::string& server) : module_(mcp::module_of(server)) {}

  void add(const std::optional<Capabilities>& capabilities) {
    if (!capabilities) return;
    for (const auto* rules : {&capabilities->grant, &capabilities->approve, &capabilities->deny, &capabilities->hidden})
      for (const auto& rule : *rules) add(rule.module, rule.actions);
  }
  void add(std::string_view module, const std::vector<std::string>& actions) {
    if (module != module_) return;
    for (const auto& action : actions) {
      const auto bare = without_module(action);
      if (!bare.empty() && bare != "*") by_lower_.emplace(base::to_lower(bare), bare);
    }
  }
  const std::map<std::string, std::string>& all() const { return by_lower_; }

 private:
  // A rule may say "mcp_github__create_issue" for "create_issue".
  std::string without_module(const std::string& action) const {
    const auto prefix = base::to_lower(module_ + "__");
    return base::to_lower(action).starts_with(prefix) ? action.substr(prefix.size()) : action;
  }

  const std::string module_;
  std::map<std::string, std::string> by_lower_;
};

Gate decide(const KnownTool& tool, const ToolRules& rules, const std::vector<ModuleUse>& uses,
            const std::optional<Capabilities>& own) {
  if (!used(tool, uses)) return Gate::deny;
  const auto decided = decided_by(tool, rules);
  return own ? stricter(decided, gate(tool, own)) : decided;
}

void give_server(Agent& agent, const std::string& server, const ToolRules& rules, const std::vector<ModuleUse>& uses,
                 const std::optional<Capabilities>& own) {
  const auto module = mcp::module_of(server);
  NamedTools named(server);
  named.add(rules.capabilities);
  named.add(own);
  for (const auto& use : uses) named.add(use.module, use.tools);
  if (const auto* constraints = constraints_of(module, rules))
    for (const auto* key : {"allowed_actions", "blocked_actions"}) named.add(module, texts_of(constraints->find(key)));

  const auto rest_name = mcp::all_of(server);
  const auto rest = decide({.module = module, .action = "*", .name = rest_name, .risk = Risk::medium}, rules, uses, own);
  bool any = rest != Gate::deny;
  for (const auto& [lower, action] : named.all()) {
    const auto name = mcp::model_name(server, action);
    const auto decided = decide({.module = module, .action = action, .name = name, .risk = Risk::medium}, rules, uses, own);
    any = any || decided != Gate::deny;
    // What is denied must be said only where all others are granted.
    if (decided != Gate::deny || rest != Gate::deny) agent.tools.push_back({.name = name, .gate = decided});
  }
  if (rest != Gate::deny) agent.tools.push_back({.name = rest_name, .gate = rest});
  if (any) agent.mcp_servers.push_back(server);
}

}  // namespace

Gate decided_by(const KnownTool& tool, const ToolRules& rules) {
  return allowed_by_constraints(tool, rules) ? gate(tool, rules.capabilities) : Gate::deny;
}

void give_tools(Agent& agent, const ToolRules& rules, const std::vector<ModuleUse>& uses,
                const std::optional<Capabilities>& own) {
  for (const auto& tool : known_tools()) {
    if (tool.exists == Exists::later) continue;
    if (!rules.modules.contains(tool.module) && !system_module(tool.module)) continue;
    if (const auto decided = decide(tool, rules, uses, own); decided != Gate::deny)
      agent.tools.push_back({.name = std::string(tool.name), .gate = decided});
  }
  for (const auto& server : rules.mcp.servers) give_server(agent, server.name, rules, uses, own);
}

}  // namespace app
