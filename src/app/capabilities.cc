#include "app/capabilities.h"

#include <algorithm>
#include <set>

#include "app/tool_settings.h"
#include "base/text.h"

namespace app {

namespace {

bool any_covers(const std::vector<Rule>& rules, const KnownTool& tool) {
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.covers(tool); });
}

bool any_names(const std::vector<Rule>& rules, const KnownTool& tool) {
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.names(tool); });
}

void add_actions(const Node* list, Rule& rule) {
  if (!list) return;
  for (const auto& item : list->items)
    if (const auto text = as_text(item)) rule.actions.push_back(*text);
}

// {module, actions | tools, reason} or "module.tool".
std::optional<Rule> read_rule(const Node& node, const std::string& path, Problems& problems) {
  Rule rule;
  rule.path = path;
  rule.mark = node.mark;
  if (const auto text = as_text(node)) {
    const auto dot = text->find('.');
    rule.module = text->substr(0, dot);
    if (dot != std::string::npos) rule.actions.push_back(text->substr(dot + 1));
  } else if (const auto* module = node.find("module")) {
    rule.module = as_text(*module).value_or("");
    add_actions(node.find("actions"), rule);
    add_actions(node.find("tools"), rule);
  }
  if (rule.module.empty()) return std::nullopt;
  check_module(rule.module, path, rule.mark, problems);
  for (const auto& action : rule.actions) check_action(rule.module, action, path, rule.mark, problems);
  return rule;
}

std::vector<Rule> read_rules(const Node& block, std::string_view key, const std::string& path, Problems& problems) {
  std::vector<Rule> rules;
  const auto* list = block.find(key);
  if (!list) return rules;
  for (std::size_t i = 0; i < list->items.size(); ++i)
    if (auto rule = read_rule(list->items[i], child(child(path, key), i), problems)) rules.push_back(std::move(*rule));
  return rules;
}

bool same_text(std::string_view a, std::string_view b) { return base::to_lower(a) == base::to_lower(b); }

// A grant that a deny takes back completely can never have been meant.
void check_possible(const Capabilities& capabilities, Problems& problems) {
  std::set<std::string> modules;
  std::set<std::string> actions;
  for (const auto& deny : capabilities.deny) {
    if (deny.actions.empty()) modules.insert(deny.module);
    for (const auto& action : deny.actions) actions.insert(deny.module + "." + base::to_lower(action));
  }
  for (const auto& grant : capabilities.grant) {
    if (grant.actions.empty() && modules.contains(grant.module))
      problems.add(grant.path, "module '" + shown(grant.module) + "' is granted and denied", grant.mark, Code::impossible_grant);
    for (const auto& action : grant.actions) {
      const auto name = grant.module + "." + action;
      if (modules.contains(grant.module) || actions.contains(grant.module + "." + base::to_lower(action)))
        problems.add(grant.path, "'" + shown(name) + "' is granted and denied", grant.mark, Code::impossible_grant);
    }
  }
}

Policy policy_of(std::string_view text) {
  if (text == "auto") return Policy::allow;
  return text == "block" ? Policy::block : Policy::approve;
}

Risk risk_of(std::string_view text) {
  if (text == "low") return Risk::low;
  return text == "high" ? Risk::high : Risk::medium;
}

}  // namespace

bool Rule::names(const KnownTool& tool) const {
  return module == tool.module && std::any_of(actions.begin(), actions.end(), [&](const std::string& action) {
           return same_text(action, tool.action) || same_text(action, tool.name);
         });
}

bool Rule::covers(const KnownTool& tool) const {
  const bool whole = module == tool.module || (module == "mcp" && tool.module.starts_with("mcp_"));
  return (whole && actions.empty()) || names(tool);
}

void check_module(std::string_view module, const std::string& path, Mark mark, Problems& problems) {
  if (known_module(module)) return;
  problems.add(path, "unknown module '" + shown(module) + "'" + did_you_mean(module, module_ids()), mark, Code::module);
}

void check_action(std::string_view module, std::string_view action, const std::string& path, Mark mark, Problems& problems) {
  if (!complete_module(module) || find_tool(module, action)) return;
  std::vector<std::string_view> actions;
  for (const auto& tool : known_tools())
    if (tool.module == module) actions.push_back(tool.action);
  problems.add(path, "module '" + shown(module) + "' has no tool '" + shown(action) + "'" + did_you_mean(action, actions), mark,
               Code::tool);
}

Capabilities read_capabilities(const Node& block, const std::string& path, Problems& problems) {
  Capabilities capabilities;
  if (const auto* policy = block.find("default_policy")) capabilities.default_policy = policy_of(policy->text);
  if (const auto* risk = block.find("max_risk_level")) capabilities.max_risk = risk_of(risk->text);
  capabilities.grant = read_rules(block, "grant", path, problems);
  capabilities.approve = read_rules(block, "approve", path, problems);
  capabilities.deny = read_rules(block, "deny", path, problems);
  capabilities.hidden = read_rules(block, "hidden_actions", path, problems);
  if (const auto* modules = block.find("hidden_modules")) {
    for (const auto& item : modules->items) {
      Rule rule;
      rule.module = as_text(item).value_or("");
      if (rule.module.empty()) continue;
      check_module(rule.module, child(path, "hidden_modules"), item.mark, problems);
      capabilities.hidden.push_back(std::move(rule));
    }
  }
  if (const auto* limits = block.find("rate_limits"))
    capabilities.rate_limits = read_rate_limits(*limits, child(path, "rate_limits"), problems);
  if (const auto* timeout = block.find("approval_timeout"))
    if (const auto seconds = as_int(*timeout)) capabilities.approval_ms = *seconds * 1'000;
  check_possible(capabilities, problems);
  return capabilities;
}

Gate gate(const KnownTool& tool, const std::optional<Capabilities>& capabilities) {
  if (!capabilities) return tool.offer == Offer::by_name ? Gate::deny : Gate::allow;
  if (any_covers(capabilities->deny, tool) || any_covers(capabilities->hidden, tool)) return Gate::deny;
  const bool by_name = tool.offer == Offer::by_name;
  const auto mentions = by_name ? any_names : any_covers;
  if (mentions(capabilities->approve, tool)) return Gate::approve;
  if (mentions(capabilities->grant, tool)) return Gate::allow;
  if (by_name || tool.risk > capabilities->max_risk) return Gate::deny;
  switch (capabilities->default_policy) {
    case Policy::allow: return Gate::allow;
    case Policy::approve: return Gate::approve;
    case Policy::block: return Gate::deny;
  }
  return Gate::deny;
}

Gate stricter(Gate a, Gate b) {
  if (a == Gate::deny || b == Gate::deny) return Gate::deny;
  return a == Gate::approve || b == Gate::approve ? Gate::approve : Gate::allow;
}

}  // namespace app
