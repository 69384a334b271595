#include "app/agents.h"

#include <algorithm>

#include "app/app_shape.h"
#include "app/brain.h"
#include "app/grants.h"
#include "app/hooks.h"
#include "app/recovery_key.h"
#include "app/shape.h"
#include "app/tool_settings.h"
#include "base/text.h"
#include "mcp/names.h"

namespace app {

namespace {

constexpr std::size_t kAgentIdBytesMax = 128;
constexpr std::size_t kAgentsMax = 1'000;

std::string text_of(const Node& map, std::string_view key) {
  const auto* node = map.find(key);
  return node ? as_text(*node).value_or("") : "";
}

bool enforced(std::string_view module, std::string_view constraint) {
  if (constraint == "readonly" || constraint == "allowed_paths") return true;
  return module == "shell" &&
         (constraint == "allowed_commands" || constraint == "blocked_commands" || constraint == "unrestricted");
}

// The constraints of a module block that are enforced; a restriction that is not must not be taken for one that is.
void check_constraints(const std::string& module, const Node* block, Problems& problems) {
  const auto* constraints = block ? block->find("constraints") : nullptr;
  if (!constraints || !constraints->is_map()) return;
  const auto path = child(child("tools.modules", module), "constraints");
  for (const auto& member : constraints->members) {
    if (member.key == "allowed_actions" || member.key == "blocked_actions") {
      for (const auto& action : texts_of(&member.value))
        check_action(module, action, child(path, member.key), member.value.mark, problems);
    } else if (complete_module(module) && !enforced(module, member.key)) {
      problems.warn(child(path, member.key), "this restriction is not known: it is not enforced", member.mark);
    }
  }
}

void add_use(std::vector<ModuleUse>& uses, const Member& member) { uses.push_back({member.key, texts_of(&member.value)}); }

// [module, {module: [tools]}] or {module: [tools]}. Nothing or an empty list: every module of the app.
std::vector<ModuleUse> read_module_uses(const Node* node) {
  std::vector<ModuleUse> uses;
  if (!node) return uses;
  for (const auto& item : node->items) {
    if (const auto text = as_text(item)) uses.push_back({*text, {}});
    for (const auto& member : item.members) add_use(uses, member);
  }
  for (const auto& member : node->members) add_use(uses, member);
  return uses;
}

// Whether the module is the tools of a declared server.
bool is_server(const std::string& module, const McpServers& mcp) {
  const auto named = [&](const std::string& name) { return mcp::module_of(name) == module; };
  return std::ranges::any_of(mcp.servers, named, &McpServer::name) || std::ranges::any_of(mcp.unsupported, named);
}

// A module whose tools are offered.
bool is_available(const std::string& module, const McpServers& mcp) {
  return complete_module(module) || system_module(module) || module == kMcpModule || is_server(module, mcp);
}

// A rule about a server that nobody declares is most likely misspelled, and then its tools are not what the rule says.
void check_servers(const Capabilities& capabilities, const McpServers& mcp, Problems& problems) {
  std::vector<std::string> names;
  for (const auto& server : mcp.servers) names.push_back(mcp::module_of(server.name));
  const std::vector<std::string_view> modules(names.begin(), names.end());
  for (const auto* rules : {&capabilities.grant, &capabilities.approve, &capabilities.deny, &capabilities.hidden})
    for (const auto& rule : *rules)
      if (rule.module.starts_with("mcp_") && !is_server(rule.module, mcp))
        problems.warn(rule.path, "there is no MCP server for '" + shown(rule.module) + "'" + did_you_mean(rule.module, modules),
                      rule.mark, Code::mcp_server);
}

bool is_declared(const std::string& module, const ToolRules& rules) {
  return rules.modules.contains(module) || is_server(module, rules.mcp);
}

void check_uses(const std::vector<ModuleUse>& uses, const ToolRules& rules, const std::string& path, Mark mark,
                Problems& problems) {
  for (const auto& use : uses) {
    if (!known_module(use.module)) {
      check_module(use.module, path, mark, problems);
      continue;
    }
    for (const auto& tool : use.tools) check_action(use.module, tool, path, mark, problems);
    if (!is_declared(use.module, rules) && !system_module(use.module))
      problems.warn(path, "module '" + shown(use.module) + "' is not declared in tools.modules: the agent gets no tool of it",
                    mark);
  }
}

const Node* providers_of(const ToolRules& rules) {
  const auto found = rules.modules.find("llm_provider");
  if (found == rules.modules.end() || !found->second) return nullptr;
  const auto* config = found->second->find("config");
  return config ? config->find("providers") : nullptr;
}

const Node* part_of(const Node* block, std::string_view key) {
  const auto* part = block ? block->find(key) : nullptr;
  return part && part->is_map() ? part : nullptr;
}

void read_settings(const std::string& module, const Node* block, ToolRules& rules, Problems& problems) {
  const auto *config = part_of(block, "config"), *constraints = part_of(block, "constraints");
  if (module == "filesystem") rules.settings.file_paths = read_file_paths(constraints, problems);
  if (module != "shell") return;
  rules.settings.shell = read_shell(config, constraints, problems);
  rules.foreground_ms = read_foreground_limit(config, problems);
}

// What both blocks say of calls: all limits, and the shorter patience.
void limit_calls(Agent& agent, const std::optional<Capabilities>& capabilities) {
  if (!capabilities) return;
  agent.settings.rate_limits.insert(agent.settings.rate_limits.end(), capabilities->rate_limits.begin(),
                                    capabilities->rate_limits.end());
  if (capabilities->approval_ms)
    agent.approval_ms = std::min(*capabilities->approval_ms, agent.approval_ms.value_or(*capabilities->approval_ms));
}

Agent read_agent(const Node& node, const ToolRules& rules, const AgentDefaults& defaults, std::vector<HookEntry> hooks,
                 const std::string& path, Problems& problems) {
  Agent agent;
  agent.id = text_of(node, "id");
  agent.name = agent.id;
  if (agent.id.size() > kAgentIdBytesMax)
    problems.add(child(path, "id"), "is longer than " + std::to_string(kAgentIdBytesMax) + " bytes", node.mark, Code::range);
  const auto* instructions = node.find("instructions");
  agent.description = text_of(node, "specialty");
  if (agent.description.empty() && instructions) agent.description = text_of(*instructions, "specialty");
  if (agent.description.empty()) agent.description = text_of(node, "role");
  agent.system_prompt = text_of(node, "system_prompt");
  if (agent.system_prompt.empty()) agent.system_prompt = text_of(node, "prompt");

  const auto* brain = node.find("brain");
  if (brain) agent.brain = read_brain(*brain, providers_of(rules), child(path, "brain"), problems);

  const auto* modules = node.find("modules");
  const auto uses = read_module_uses(modules);
  if (modules) check_uses(uses, rules, child(path, "modules"), modules->mark, problems);
  std::optional<Capabilities> own;
  if (const auto* block = node.find("capabilities"); block && block->is_map()) {
    check_shape(*block, {.same_as = &kCapabilitiesShape}, child(path, "capabilities"), problems);
    own = read_capabilities(*block, child(path, "capabilities"), problems);
  }
  give_tools(agent, rules, uses, own);

  for (auto& hook : read_hooks(node.find("hooks"), child(path, "hooks"), rules, problems)) hooks.push_back(std::move(hook));
  give_hooks(agent, std::move(hooks));

  read_recovery(node.find("recovery"), child(path, "recovery"), agent, problems);

  agent.context = defaults.context;
  if (const auto* block = node.find("context")) read_context(*block, child(path, "context"), agent.context, problems);
  agent.max_turns = defaults.max_turns;
  if (const auto* turns = node.find("max_tool_iterations")) agent.max_turns = as_int(*turns);
  agent.timeout_ms = defaults.timeout_ms;
  agent.tasks = defaults.tasks;
  agent.foreground_ms = rules.foreground_ms;
  agent.settings = rules.settings;
  limit_calls(agent, rules.capabilities);
  limit_calls(agent, own);
  return agent;
}

}  // namespace

ToolRules read_tool_rules(const Node* modules, const Node* capabilities, Problems& problems) {
  ToolRules rules;
  if (modules) {
    rules.mcp = read_mcp_servers(modules->find(kMcpModule), problems);
    for (const auto& member : modules->members) {
      const auto path = child("tools.modules", member.key);
      check_module(member.key, path, member.mark, problems);
      const Node* block = member.value.is_null() ? nullptr : &member.value;
      rules.modules.emplace(member.key, block);
      check_constraints(member.key, block, problems);
      read_settings(member.key, block, rules, problems);
      if (known_module(member.key) && !is_available(member.key, rules.mcp))
        problems.warn(path, "module '" + shown(member.key) + "' is not available yet: none of its tools is offered", member.mark);
    }
  }
  if (capabilities) {
    rules.capabilities = read_capabilities(*capabilities, "tools.capabilities", problems);
    if (rules.modules.contains(kMcpModule)) check_servers(*rules.capabilities, rules.mcp, problems);
    for (const auto& rule : rules.capabilities->grant)
      for (const auto& tool : known_tools())
        if (tool.exists == Exists::later && rule.names(tool) && system_module(tool.module))
          problems.warn(rule.path, "'" + std::string(tool.name) + "' is not available yet", rule.mark);
  }
  return rules;
}

void read_context(const Node& block, const std::string& path, run::Limits& limits, Problems& problems) {
  constexpr double kTrigger = 0.75;
  constexpr std::int64_t kReserved = 4'096;
  const auto number = [&block](std::string_view key, std::int64_t otherwise) {
    const auto* node = block.find(key);
    return node ? as_int(*node).value_or(otherwise) : otherwise;
  };
  if (const auto all = number("max_tokens", 0); all > 0) {
    limits.context_tokens = std::max<std::int64_t>(1, all - std::min(number("output_reserved", kReserved), all / 2));
    const auto* trigger = block.find("compression_trigger");
    const auto share = trigger ? as_number(*trigger).value_or(kTrigger) : kTrigger;
    limits.compact_tokens =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(limits.context_tokens)));
  }
  if (const auto* automatic = block.find("auto_compact"); automatic && as_bool(*automatic) == false) limits.compact_tokens = 0;
  limits.keep_recent = number("keep_recent", limits.keep_recent);
  if (const auto* strategy = block.find("strategy"); strategy && strategy->text == "summarize")
    problems.warn(child(path, "strategy"), "'summarize' is not available yet: older messages are left out", strategy->mark);
}

std::vector<Agent> read_agents(const Node* list, const ToolRules& rules, const AgentDefaults& defaults, Problems& problems) {
  std::vector<Agent> agents;
  if (!list) return agents;
  if (list->items.size() > kAgentsMax) {
    problems.add("agents", "more than " + std::to_string(kAgentsMax) + " agents", list->mark, Code::range);
    return agents;
  }
  const auto hooks = read_hooks(defaults.hooks, "runtime.hooks", rules, problems);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const auto& node = list->items[i];
    if (!node.is_map()) continue;
    const auto path = child("agents", i);
    auto agent = read_agent(node, rules, defaults, hooks, path, problems);
    if (!agent.id.empty() && !ids.insert(agent.id).second)
      problems.add(child(path, "id"), "the id '" + shown(agent.id) + "' is taken by an earlier agent", node.mark,
                   Code::duplicate_id);
    agents.push_back(std::move(agent));
  }
  return agents;
}

}  // namespace app
