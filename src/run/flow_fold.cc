// The fold of a flow's log.
#include <algorithm>

#include "run/flow_mail.h"

namespace run {

namespace {

struct Apply {
  FlowState& s;
  std::int64_t at;

  void operator()(const RunStarted&) const {
    s.started = true;
    s.status = Status::running;
  }
  void operator()(const FlowPlanned& e) const {
    if (is_mail_round(e.plan) && !s.rounds.empty())
      s.rounds.back().ops += e.plan.operations.size();  // of the round that is there: only what was planned counts as one
    else
      s.rounds.push_back({.first_op = s.plan.operations.size(), .ops = e.plan.operations.size(), .planned_ms = at});
    s.plan.agents.insert(s.plan.agents.end(), e.plan.agents.begin(), e.plan.agents.end());
    for (auto place = s.plan.operations.size(); const auto& op : e.plan.operations) s.places.emplace(op.id, place++);
    s.plan.operations.insert(s.plan.operations.end(), e.plan.operations.begin(), e.plan.operations.end());
    s.plan.synthesis = s.plan.synthesis || e.plan.synthesis;
  }
  void operator()(const OpStarted& e) const {
    auto& op = s.ops[e.op];
    if (op.ended()) return;
    op.phase = OpPhase::running;
    op.attempts = std::max(op.attempts, e.attempt);
    op.run_id = e.run_id;
    op.attempt_ms = at;
    if (!op.started_ms) op.started_ms = at;
    op.retry_at_ms = 0;
  }
  void operator()(const OpEnded& e) const {
    auto& op = s.ops[e.op];
    if (op.ended()) return;  // a late end is a fact, never a second one
    op.attempts = std::max(op.attempts, e.attempt);
    if (!e.run_id.empty()) op.run_id = e.run_id;
    op.content = e.content;
    op.cause = e.cause;
    op.error = e.error;
    op.digest = e.digest;
    op.verdict = e.verdict;
    op.carried = e.carried;
    op.usage += e.usage;
    op.ended_ms = at;
    if (e.carried) op.started_ms = at - e.duration_ms;
    if (!op.started_ms) op.started_ms = at;
    if (!e.carried) s.usage += e.usage;
    if (e.outcome == OpOutcome::failed && e.cause.starts_with("Provider")) ++op.provider_failures;
    if (e.retry_at_ms) {
      op.phase = OpPhase::waiting;
      op.retry_at_ms = e.retry_at_ms;
      return;
    }
    switch (e.outcome) {
      case OpOutcome::done: op.phase = OpPhase::done; break;
      case OpOutcome::failed: op.phase = OpPhase::failed; break;
      case OpOutcome::skipped: op.phase = OpPhase::skipped; break;
      case OpOutcome::cut: op.phase = OpPhase::cut; break;
    }
  }
  void operator()(const RunCompleted&) const {
    if (s.status != Status::cancelled) s.status = Status::completed;
    s.ended_ms = at;
  }
  void operator()(const RunError& e) const {
    s.status = Status::error;
    s.error = e.message;
    s.ended_ms = at;
  }
  void operator()(const RunCancelled& e) const {
    s.status = Status::cancelled;
    s.error = e.reason;
    s.ended_ms = at;
  }
  // The others are events of agents.
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

std::string_view name(OpPhase phase) {
  static constexpr std::string_view kNames[] = {"waiting", "running", "completed", "failed", "skipped", "cancelled"};
  return kNames[static_cast<std::size_t>(phase)];
}

FlowState initial_flow(const Spec&, std::int64_t launched_ms) {
  FlowState state;
  state.started_ms = launched_ms;
  return state;
}

void apply(FlowState& state, const Event& event) {
  std::visit(Apply{state, event.at_ms}, event.payload);
  ++state.next_index;
}

const FlowOp* planned_op(const FlowState& state, std::string_view id) {
  const auto at = state.places.find(id);
  return at == state.places.end() ? nullptr : &state.plan.operations[at->second];
}

const FlowAgent* find_agent(const FlowPlan& plan, std::string_view id) {
  const auto at = std::ranges::find(plan.agents, id, &FlowAgent::id);
  return at == plan.agents.end() ? nullptr : &*at;
}

const FlowOpState* find_op(const FlowState& state, std::string_view id) {
  const auto at = state.ops.find(id);
  return at == state.ops.end() ? nullptr : &at->second;
}

std::string flow_content(const FlowState& state) {
  if (const auto* synthesis = find_op(state, kSynthesisOp); synthesis && synthesis->phase == OpPhase::done) return synthesis->content;
  std::set<std::string, std::less<>> needed;
  for (const auto& op : state.plan.operations)
    for (const auto& edge : op.depends_on) needed.insert(edge.op);
  std::vector<const FlowOp*> last;
  for (const auto& op : state.plan.operations)
    if (const auto* known = find_op(state, op.id); !op.control && !is_mail_op(op.id) && known && known->phase == OpPhase::done && !needed.contains(op.id)) last.push_back(&op);
  std::string content;
  for (const auto* op : last) {
    if (last.size() > 1) content += (content.empty() ? "## " : "\n\n## ") + op->id + " (" + op->agent_id + ")\n\n";
    content += find_op(state, op->id)->content;
  }
  return content;
}

}  // namespace run
