#include "run/flow_plan.h"

#include <map>
#include <unordered_map>
#include <unordered_set>

#include "run/flow_plan_fields.h"

namespace run {

namespace {

// Leaves out operations, and remembers which of the others depend on what, so that one that is left out takes its dependents
// along.
class Selection {
 public:
  explicit Selection(const std::vector<FlowOp>& ops) : ops_(ops), out_(ops.size(), false) {
    for (std::size_t i = 0; i < ops.size(); ++i) {
      by_id_.try_emplace(ops[i].id, i);
      for (const auto& edge : ops[i].depends_on) dependents_[edge.op].push_back(i);
    }
  }

  bool is_out(std::size_t i) const { return out_[i]; }
  // Where the first operation of that id stands.
  const std::size_t* find(std::string_view id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &found->second;
  }
  // Of an operation whose id another one has: what depends on the id depends on that one.
  void leave_out_alone(std::size_t i) { out_[i] = true; }
  void leave_out(std::size_t i) {
    if (out_[i]) return;
    out_[i] = true;
    fresh_.push_back(i);
  }
  // `told` of each dependent that goes because of another.
  template <class Told>
  void leave_out_dependents(Told told) {
    while (!fresh_.empty()) {
      const auto gone = fresh_.back();
      fresh_.pop_back();
      const auto found = dependents_.find(ops_[gone].id);
      if (found == dependents_.end()) continue;
      for (const auto i : found->second) {
        if (out_[i]) continue;
        leave_out(i);
        told(ops_[i], ops_[gone]);
      }
    }
  }
  std::vector<FlowOp> rest(std::vector<FlowOp> ops) const {
    std::vector<FlowOp> kept;
    for (std::size_t i = 0; i < ops.size(); ++i)
      if (!out_[i]) kept.push_back(std::move(ops[i]));
    return kept;
  }

 private:
  const std::vector<FlowOp>& ops_;
  std::vector<bool> out_;
  std::vector<std::size_t> fresh_;
  std::unordered_map<std::string_view, std::size_t> by_id_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> dependents_;
};

void drop_idle_agents(FlowPlan& plan) {
  std::unordered_set<std::string_view> busy;
  for (const auto& op : plan.operations) busy.insert(op.agent_id);
  std::erase_if(plan.agents, [&](const FlowAgent& agent) { return !busy.contains(agent.id); });
}

std::string left(const FlowOp& op, const std::string& why) { return "op " + quoted(op.id) + " is left out: " + why; }

// Agents that are known stay as they are; of two new ones of one id the first is meant.
void add_agents(const std::vector<FlowAgent>& agents, const FlowPlan& known, Addition& addition) {
  std::unordered_map<std::string_view, const FlowAgent*> seen;
  for (const auto& agent : known.agents) seen.try_emplace(agent.id, &agent);
  for (const auto& agent : agents) {
    const auto [found, is_new] = seen.try_emplace(agent.id, &agent);
    if (is_new) {
      addition.plan.agents.push_back(agent);
      continue;
    }
    const auto& first = *found->second;
    if (agent.role == first.role && (agent.model.empty() || agent.model == first.model) &&
        (agent.guidance.empty() || agent.guidance == first.guidance))
      continue;
    addition.left_out.push_back("agent " + quoted(agent.id) + " stays as it was planned first");
  }
}

}  // namespace

std::size_t truncate_plan(FlowPlan& plan, std::size_t ops_max) {
  const auto before = plan.operations.size();
  if (before <= ops_max) return 0;
  auto ops = std::move(plan.operations);
  Selection selection(ops);
  for (auto i = ops_max; i < before; ++i) selection.leave_out(i);
  selection.leave_out_dependents([](const FlowOp&, const FlowOp&) {});
  plan.operations = selection.rest(ops);
  drop_idle_agents(plan);
  return before - plan.operations.size();
}

void name_agents(FlowPlan& plan, const FlowPlan& known) {
  std::set<std::string> taken;
  for (const auto& agent : known.agents) taken.insert(agent.name);
  std::map<std::string, int> last;
  for (auto& agent : plan.agents) {
    const auto& base = agent.role.empty() ? agent.id : agent.role;
    agent.name = base;
    auto& number = last.try_emplace(base, 1).first->second;
    while (!taken.insert(agent.name).second) agent.name = base + "-" + std::to_string(++number);
  }
}

Addition added_plan(FlowPlan plan, const FlowPlan& known) {
  Addition addition;
  addition.plan.synthesis = plan.synthesis;
  add_agents(plan.agents, known, addition);
  std::unordered_set<std::string_view> agents, known_ops;
  for (const auto& agent : known.agents) agents.insert(agent.id);
  for (const auto& agent : plan.agents) agents.insert(agent.id);
  for (const auto& op : known.operations) known_ops.insert(op.id);

  const auto& ops = plan.operations;
  Selection selection(ops);
  const FlowOp* control = nullptr;
  const auto leave = [&](std::size_t i, const std::string& why) {
    selection.leave_out(i);
    addition.left_out.push_back(left(ops[i], why));
  };
  // First what is wrong in itself: a dependency is unknown only once it is clear which operations there are.
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (known_ops.contains(ops[i].id) || *selection.find(ops[i].id) != i) {
      selection.leave_out_alone(i);
      addition.left_out.push_back(left(ops[i], "its id is known already"));
    } else if (!agents.contains(ops[i].agent_id)) {
      leave(i, "unknown agent " + quoted(ops[i].agent_id));
    } else if (ops[i].control && control) {
      leave(i, "op " + quoted(control->id) + " is the round's control op");
    } else if (ops[i].control) {
      control = &ops[i];
    }
  }
  for (std::size_t i = 0; i < ops.size(); ++i) {
    for (const auto& edge : ops[i].depends_on) {
      if (selection.is_out(i)) break;
      if (known_ops.contains(edge.op)) continue;
      const auto* found = selection.find(edge.op);
      if (!found || selection.is_out(*found))
        leave(i, "unknown dependency " + quoted(edge.op));
      else if (ops[*found].control && !ops[i].control)
        leave(i, "it depends on its own round's control op " + quoted(edge.op));
    }
  }
  selection.leave_out_dependents([&](const FlowOp& op, const FlowOp& gone) {
    addition.left_out.push_back(left(op, "unknown dependency " + quoted(gone.id)));
  });
  addition.plan.operations = selection.rest(ops);
  drop_idle_agents(addition.plan);
  return addition;
}

std::set<std::string> upstream_of(const FlowPlan& plan, std::string_view op) {
  std::unordered_map<std::string_view, const FlowOp*> by_id;
  for (const auto& one : plan.operations) by_id.try_emplace(one.id, &one);
  std::set<std::string> upstream;
  std::vector<std::string_view> next{op};
  while (!next.empty()) {
    const auto found = by_id.find(next.back());
    next.pop_back();
    if (found == by_id.end()) continue;
    for (const auto& edge : found->second->depends_on)
      if (upstream.insert(edge.op).second) next.push_back(edge.op);
  }
  return upstream;
}

}  // namespace run
