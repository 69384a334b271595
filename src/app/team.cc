#include "app/team.h"

#include <algorithm>
#include <set>

#include "app/spec_of.h"

namespace app {

namespace {

constexpr std::string_view kAgentTool = "Agent";

bool may_delegate(const Agent& agent) {
  return std::ranges::any_of(agent.tools, [](const ToolGrant& tool) { return tool.name == kAgentTool && tool.gate != Gate::deny; });
}

// The ids that a node names, or everybody else.
std::vector<std::string> delegates_of(const Agent& agent, const std::vector<Agent>& agents) {
  if (!may_delegate(agent)) return {};
  if (agent.delegate_to) return *agent.delegate_to;
  std::vector<std::string> others;
  for (const auto& other : agents)
    if (other.id != agent.id) others.push_back(other.id);
  return others;
}

const Agent* find_agent(const std::vector<Agent>& agents, std::string_view id) {
  const auto at = std::ranges::find(agents, id, &Agent::id);
  return at == agents.end() ? nullptr : &*at;
}

void read_delegates(Agent& agent, const Node& node, const std::string& path, const std::vector<Agent>& agents, Problems& problems) {
  const auto* list = node.find("delegate_to");
  if (!list) return;
  std::vector<std::string_view> known;
  for (const auto& other : agents) known.push_back(other.id);
  agent.delegate_to.emplace();
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const auto id = as_text(list->items[i]).value_or("");
    if (find_agent(agents, id))
      agent.delegate_to->push_back(id);
    else
      problems.add(child(child(path, "delegate_to"), i), "there is no agent '" + shown(id) + "'" + did_you_mean(id, known), list->items[i].mark,
                   Code::agent);
  }
  if (!may_delegate(agent))
    problems.warn(child(path, "delegate_to"), "has no effect: the agent has no tool agent_spawn.agent", list->mark);
}

}  // namespace

void form_teams(std::vector<Agent>& agents, const Node* list, Problems& problems) {
  std::size_t index = 0;
  for (std::size_t i = 0; list && i < list->items.size() && index < agents.size(); ++i)
    if (list->items[i].is_map()) read_delegates(agents[index++], list->items[i], child("agents", i), agents, problems);
  std::vector<run::TeamMember> members;
  for (const auto& agent : agents) members.push_back({agent.id, agent.description, run::encode(spec_of(agent)), delegates_of(agent, agents)});
  for (auto& agent : agents) {
    agent.may_ask = delegates_of(agent, agents);
    // Whoever can be asked, by it or by those whom it asks.
    std::set<std::string> wanted(agent.may_ask.begin(), agent.may_ask.end());
    for (std::size_t before = 0; before != wanted.size();) {
      before = wanted.size();
      for (const auto& member : members)
        if (wanted.contains(member.id)) wanted.insert(member.may_ask.begin(), member.may_ask.end());
    }
    for (const auto& member : members)
      if (wanted.contains(member.id)) agent.team.push_back(member);
  }
}

}  // namespace app
