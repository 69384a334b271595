#include "run/flow_log.h"

#include <algorithm>
#include <cstdio>

#include "run/flow_mail.h"
#include "run/flow_prompts.h"

namespace run {

namespace {

// What an event adds to the log, in the words of one flow.
struct Lines {
  std::string& out;
  const FlowState& s;
  const Spec& spec;
  std::int64_t at;

  bool fanout() const { return spec.flow->fanout; }
  void line(const std::string& text) const { out += text + "\n"; }

  std::int64_t took(std::string_view op) const {
    const auto* known = find_op(s, op);
    return known ? at - known->started_ms : 0;
  }

  void operator()(const RunStarted&) const {
    if (fanout())
      line("Phase 1: Orchestrator decomposing task into " + std::to_string(spec.flow->workers) + " agent requests...");
    else
      line("Planning DAG...");
  }

  void operator()(const FlowPlanned& e) const {
    if (is_mail_round(e.plan)) return woken(e.plan);
    if (fanout()) return requests(e);
    if (e.round > 1) return replanned(e);
    if (e.truncated_to) line("Plan truncated to " + std::to_string(e.truncated_to) + " operations (--max-agents)");
    line("Plan done (" + seconds_text(at - s.started_ms) + "): " + plan_line(e.plan));
    if (!spec.flow->team.empty() && !spec.flow->team_attached) line("Team '" + spec.flow->team_name + "' created (" + spec.flow->team + ")");
    if (spec.flow->dry_run) return;
    const auto control = std::ranges::count_if(e.plan.operations, &FlowOp::control);
    line("Executing DAG: " + std::to_string(e.plan.agents.size()) + " agents / " + std::to_string(std::ssize(e.plan.operations) - control) + " ops" +
         (control ? " (" + std::to_string(control) + " control)" : "") + "...");
  }

  void woken(const FlowPlan& plan) const {
    std::string agents;
    for (const auto& op : plan.operations) agents += (agents.empty() ? "" : ", ") + op.agent_id;
    line("↻ team round " + std::to_string(mail_round_of(plan.operations.front().id)) + ": woke " + agents);
  }

  void requests(const FlowPlanned& e) const {
    line("Phase 1 done (" + seconds_text(at - s.started_ms) + "): " + std::to_string(e.plan.operations.size()) + " requests generated.");
    std::string models;
    for (const auto& agent : e.plan.agents) models += (models.empty() ? "" : ", ") + (agent.model.empty() ? own_model() : agent.model);
    line("Phase 2: Fanning out to " + std::to_string(e.plan.agents.size()) + " workers: [" + models + "]");
  }

  void replanned(const FlowPlanned& e) const {
    for (const auto& left_out : e.left_out) line(left_out);
    if (e.plan.operations.empty()) return line("Re-plan produced no new operations; ending.");
    std::string ids;
    for (const auto& op : e.plan.operations) ids += (ids.empty() ? "" : ", ") + op.id;
    line("Re-plan: +" + std::to_string(e.plan.agents.size()) + " agents, +" + std::to_string(e.plan.operations.size()) + " ops: " + ids);
  }

  std::string own_model() const { return spec.provider + "/" + spec.model + (spec.effort.empty() ? "" : "-" + spec.effort); }

  void operator()(const OpStarted& e) const {
    const auto* known = find_op(s, e.op);
    if (!known || e.attempt != 1 || known->attempts != 1) return;  // further attempts are no news
    if (e.op == kSynthesisOp) {
      if (!fanout()) dag_done();
      const auto model = flow_model(s, spec, e.op);
      return line((fanout() ? "Phase 3: Synthesis [" : "Synthesis [") + (model.empty() ? own_model() : model) + "]...");
    }
    if (is_plan_op(e.op)) {
      if (e.op != kPlanOp) line("Round " + e.op.substr(kPlanOp.size()) + ": orchestrator re-planning...");
      return;
    }
    const auto* op = planned_op(s, e.op);
    if (!op || (fanout() && !is_mail_op(e.op))) return;
    if (op->control) {
      dag_done();
      line("Control [" + op->id + " via " + op->agent_id + "]: evaluating...");
    }
    line("  ▶ " + op->agent_id + " started");
  }

  // Where something follows the operations it is said that they are done.
  void dag_done() const {
    if (s.rounds.size() > 1 || std::ranges::any_of(s.plan.operations, [this](const FlowOp& op) {
          const auto* known = find_op(s, op.id);
          return op.control && known && known->ended();
        }))
      return;
    line("DAG done (" + seconds_text(at - s.rounds.front().planned_ms) + ").");
  }

  void operator()(const OpEnded& e) const {
    if (e.retry_at_ms || e.carried) return;
    if (e.op == kSynthesisOp && e.outcome == OpOutcome::done) {
      const auto done = " done (" + seconds_text(took(e.op)) + ").";
      return line((fanout() ? "Phase 3" : "Synthesis") + done);
    }
    const auto* op = planned_op(s, e.op);
    if (!op) return;
    const bool for_mail = is_mail_op(e.op);
    if (fanout() && !for_mail) return worker_ended();
    if (e.outcome != OpOutcome::skipped)
      line(std::string("  ") + (e.outcome == OpOutcome::done ? "✓ " : "✗ ") + op->agent_id + (e.outcome == OpOutcome::done ? " done (" : " FAILED (") +
           seconds_text(took(e.op)) + ")");
    if (for_mail) return;
    if (op->control && e.verdict) control_ended(*op, e);
    const auto& round = s.rounds.back();
    if (s.rounds.size() > 1 && all_ended(round))
      line("Round " + std::to_string(s.rounds.size()) + " done (" + seconds_text(at - round.planned_ms) + ").");
  }

  void control_ended(const FlowOp& op, const OpEnded& e) const {
    line("Control [" + op.id + "] done (" + seconds_text(took(e.op)) + "): continue=" + (e.verdict->should_continue ? "True" : "False"));
    if (e.verdict->should_continue && std::ssize(s.rounds) >= kFlowRoundsMax)
      line("Max rounds (" + std::to_string(kFlowRoundsMax) + ") reached, stopping.");
  }

  bool all_ended(const FlowRound& round) const {
    for (auto i = round.first_op; i < round.first_op + round.ops; ++i) {
      const auto* known = find_op(s, s.plan.operations[i].id);
      if (!known || !known->ended()) return false;
    }
    return true;
  }

  void worker_ended() const {
    if (!all_ended(s.rounds.front())) return;
    line("Phase 2 done (" + seconds_text(at - s.rounds.front().planned_ms) + ").");
    line("Saved " + std::to_string(s.plan.operations.size()) + " worker results to " + spec.flow->directory);
  }

  void ended() const {
    if (!spec.flow->dry_run && !s.rounds.empty()) line("Saved to " + spec.flow->directory);
    line("Total: " + seconds_text(at - s.started_ms));
  }
  void operator()(const RunCompleted&) const {
    // It follows the cancellation of a cancelled one, which has said it.
    if (s.status == Status::completed) ended();
  }
  void operator()(const RunError& e) const {
    line("error: " + e.message);
    ended();
  }
  void operator()(const RunCancelled&) const {
    line("error: the flow was cancelled");
    ended();
  }
  template <class Other>
  void operator()(const Other&) const {}
};

std::string block(const std::string& title, const FlowOpState& op) {
  std::string rule;
  for (int i = 0; i < 60; ++i) rule += "═";
  const auto& text = op.phase == OpPhase::done ? op.content : "(" + std::string(op.error.empty() ? "no response" : op.error) + ")";
  return rule + "\n  " + title + "\n  " + std::to_string(op.ended_ms - op.started_ms) + "ms\n" + rule + "\n" + (text.empty() ? "(no response)" : text) + "\n\n";
}

}  // namespace

std::string seconds_text(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1fs", static_cast<double>(std::max<std::int64_t>(0, ms)) / 1000);
  return text;
}

void append_flow_lines(std::string& out, const FlowState& state, const Spec& spec, const Event& event) {
  std::visit(Lines{out, state, spec, event.at_ms}, event.payload);
}

FlowResults flow_results(const FlowState& state, const Spec& spec, const std::string& orchestrator_branch) {
  FlowResults results;
  const auto own = spec.provider + "/" + spec.model + (spec.effort.empty() ? "" : "-" + spec.effort);
  const auto model = [&](std::string_view op) {
    const auto named = flow_model(state, spec, op);
    return named.empty() ? own : named;
  };
  const auto workers = without_mail(state.plan).operations.size();
  std::size_t number = 0;
  for (const auto& op : state.plan.operations) {
    if (!is_mail_op(op.id)) ++number;
    const auto* known = find_op(state, op.id);
    if (!known || !known->ended() || known->phase == OpPhase::skipped) continue;
    std::string title;
    if (spec.flow->fanout && !is_mail_op(op.id)) {
      title = "Worker " + std::to_string(number) + "/" + std::to_string(workers) + "  [" + model(op.id) + "]";
    } else {
      title = op.id + " (" + op.agent_id + ")  [" + model(op.id) + "]";
      std::string deps;
      for (const auto& edge : op.depends_on) deps += (deps.empty() ? "  deps: " : ", ") + edge.op;
      title += deps;
    }
    results.blocks += block(title, *known);
  }
  if (const auto* synthesis = find_op(state, kSynthesisOp); synthesis && synthesis->ended())
    results.blocks += block("Synthesis  [" + model(kSynthesisOp) + "]", *synthesis);
  results.hints = "\n[orchestrator] outlast agent -r " + orchestrator_branch + " \"...\"\n";
  for (const auto& agent : state.plan.agents) results.hints += "[" + agent.name + "]      outlast agent -r " + agent.branch + " \"...\"\n";
  return results;
}

}  // namespace run
