#include "run/flow_prompts.h"

#include <algorithm>

#include "base/text.h"
#include "run/flow_mail.h"

namespace run {

namespace {

constexpr std::size_t kUpstreamBytesMax = 16 << 10;  // of one answer, in the prompt of those that build on it

constexpr std::string_view kPlannerRole =
    "You are the orchestrator of a flow: you plan which agents do what, in which order, and others do it. You answer with nothing but one "
    "JSON object. You start no agents yourself and call no tools.";

constexpr std::string_view kPlanSchema = R"(Answer with one JSON object and nothing else:

{"agents": [{"id": "r1", "role": "researcher", "model": "optional provider/model", "guidance": "optional, for all that it does"}],
 "operations": [
   {"id": "a1", "agent_id": "r1", "instruction": "what to find out; write it to findings.md"},
   {"id": "a2", "agent_id": "i1", "instruction": "read ../r1/findings.md and ...", "depends_on": ["a1"]},
   {"id": "c1", "agent_id": "r1", "instruction": "is it good enough?", "depends_on": ["a2"], "control": true}],
 "synthesis": false}

- An agent is one conversation with a memory: operations of the same agent run one after another and remember. Prefer 2 to 4 agents that
  do several operations each.
- An operation begins when all that it depends on has been done; operations that do not depend on each other run at the same time.
  Depend on what is really needed, and on nothing else. No cycles.
- Every agent works in a directory of its own, named as its id. Every instruction says which files to write there, and which files of
  others to read, as ../<agent_id>/<file>. What the same agent wrote before it need not read again.
- Ids are of letters, digits, '-', '_' and '.'. `model` only where another than the usual is needed.
- `control` (at most one operation): it judges what was done and answers whether to go on; then you are asked for more operations.
- `synthesis`: true where the results must be brought together in one text at the end.
)";

constexpr std::string_view kVerdictSchema =
    R"(Judge what has been done. Answer with one JSON object and nothing else: {"should_continue": true or false, "reason": "why", "next_steps": "what is to be done next, if anything"}. "should_continue": false ends the work.)";

constexpr std::string_view kRequestSchema =
    R"(Answer with one JSON object and nothing else: {"requests": [{"instruct": {"instruction": "all that this worker must know", "context": "optional", "guidance": "optional"}, "model": "optional provider/model"}]}. The workers do not see each other and run at the same time: give each a part of its own.)";

std::string section(std::string_view title, const std::string& text) {
  return text.empty() ? std::string() : "# " + std::string(title) + "\n" + text + "\n\n";
}

std::string roles_text(const FlowSpec& flow) {
  if (flow.bare || flow.roles.empty()) return "Any short word is a role.";
  std::string text = "Known roles (others are only names):";
  for (const auto& role : flow.roles) text += "\n- " + role.name + (role.model.empty() ? "" : " (" + role.model + ")");
  return text;
}

std::string sharper(const FlowState& state, std::string_view op, std::int64_t attempt) {
  const auto* known = find_op(state, op);
  if (attempt < 2 || !known || known->error.empty()) return {};
  return "Your last answer cannot be used: " + known->error + "\nAnswer again, with exactly one valid JSON object and no other words.\n\n";
}

// The end of a text matters most: conclusions stand there.
std::string bounded(const std::string& text) {
  if (text.size() <= kUpstreamBytesMax) return text;
  return "[...]\n" + std::string(base::utf8_suffix(text, kUpstreamBytesMax));
}

std::string results(const FlowState& state) {
  std::string text;
  for (const auto& op : state.plan.operations) {
    const auto* known = find_op(state, op.id);
    if (!known || !known->ended()) continue;
    text += "## " + op.id + " (" + op.agent_id + ")" + (known->phase == OpPhase::done ? "" : ", which was not done") + "\n";
    text += bounded(known->phase == OpPhase::done ? known->content : known->error) + "\n\n";
  }
  return text;
}

std::string upstream_text(const FlowState& state, const FlowOp& op) {
  std::string text;
  for (const auto& edge : op.depends_on) {
    const auto* before = planned_op(state, edge.op);
    const auto* known = find_op(state, edge.op);
    if (!before || !known) continue;
    if (known->phase != OpPhase::done && edge.on_failure == OnFailure::skip) continue;
    text += "## " + edge.op + " (" + before->agent_id + "), files in ../" + before->agent_id + "/\n";
    if (known->phase == OpPhase::done)
      text += before->agent_id == op.agent_id ? "(your own answer, above)" : bounded(known->content);
    else
      text += "It was not done: " + known->error;
    text += "\n\n";
  }
  return text;
}

std::string fanout_prompt(const FlowState& state, const Spec& flow, std::int64_t attempt) {
  return sharper(state, kPlanOp, attempt) + std::string(kRequestSchema) + "\nExactly " + std::to_string(flow.flow->workers) + " requests.\n\n" +
         section("Task", flow.input);
}

std::string plan_prompt(const FlowState& state, const Spec& flow, std::int64_t attempt) {
  if (flow.flow->fanout) return fanout_prompt(state, flow, attempt);
  const auto cap = flow.flow->ops_max > 0 ? flow.flow->ops_max : static_cast<std::int64_t>(kFlowOpsMax);
  return sharper(state, kPlanOp, attempt) + std::string(kPlanSchema) + "- At most " + std::to_string(cap) + " operations.\n\n" +
         section("Roles", roles_text(*flow.flow)) + section("Task", flow.input);
}

std::string replan_prompt(const FlowState& state, const Spec& flow, std::string_view op, std::int64_t attempt) {
  std::string verdict;
  for (const auto& one : state.plan.operations)
    if (const auto* known = find_op(state, one.id); one.control && known && known->verdict)
      verdict = known->verdict->reason + (known->verdict->next_steps.empty() ? "" : "\nNext: " + known->verdict->next_steps);
  return sharper(state, op, attempt) + std::string(kPlanSchema) +
         "- This is a further round: give only new agents and new operations, with new ids; agents that exist may be used by their ids, and operations "
         "that exist may be depended on. No operations at all ends the work.\n\n" +
         section("Verdict", verdict) + section("What has been done", results(state)) + section("Task", flow.input);
}

std::string synthesis_prompt(const FlowState& state, const Spec& flow) {
  std::string branches;
  for (const auto& agent : state.plan.agents) branches += "- " + agent.name + ": " + agent.branch + "\n";
  const auto asked = flow.flow->synthesis_prompt.empty()
                         ? std::string("Bring the results together in one text that answers the task: reconcile what contradicts, fill gaps, say which "
                                       "operation each finding comes from, and say what was not done. End with the branch ids.")
                         : flow.flow->synthesis_prompt;
  return section("Results", results(state)) + section("Branches", branches) + section("Task", flow.input) + asked + "\n";
}

// The instruction stands last: it is what the answer is for.
std::string work_prompt(const FlowState& state, const Spec& flow, const FlowOp& op, std::int64_t attempt) {
  if (is_mail_op(op.id)) return "# Your part\n" + op.instruction;  // all else it has been told
  const auto* agent = find_agent(state.plan, op.agent_id);
  const auto& guidance = !op.guidance.empty() || !agent ? op.guidance : agent->guidance;
  std::string place = "You are '" + op.agent_id + "'. Your directory, which you work in: " + agent_directory(flow, op.agent_id) +
                      "\nWrite your files there; others find them as ../" + op.agent_id + "/.";
  if (!flow.work_directory.empty()) place += "\nThe project: " + flow.work_directory;
  std::string expected;
  for (const auto& path : op.artifacts) expected += "- " + path + "\n";
  return section("The whole task, of which you do one part", flow.input) + section("Your place", place) +
         section("Done before", upstream_text(state, op)) + section("Guidance", guidance) + section("Files that must be there when you are done", expected) +
         (op.control ? sharper(state, op.id, attempt) + std::string(kVerdictSchema) + "\n\n" + section("Done so far", results(state)) : std::string()) +
         "# Your part\n" + op.instruction;
}

// The spec that a role or the flow gives, without anything of one operation.
Spec start_spec(const Spec& flow, const Spec& base, const FlowAgent* agent) {
  const auto* role = agent ? role_of(flow, *agent) : nullptr;
  auto own = role && !role->spec.empty() ? decode_spec(role->spec) : base::Result<Spec>(base);
  if (!own) return base;
  if (own->provider.empty()) {
    own->provider = base.provider, own->model = base.model, own->effort = base.effort;
    own->backend = base.backend, own->base_url = base.base_url, own->definition = base.definition;
  }
  return *std::move(own);
}

}  // namespace

std::string agent_directory(const Spec& flow, const std::string& agent_id) { return flow.flow->directory + "/" + agent_id; }

std::string flow_model(const FlowState& state, const Spec& flow, std::string_view op) {
  if (op == kSynthesisOp) return flow.flow->synthesis_model;
  const auto* planned = planned_op(state, op);
  return planned ? model_of(state, flow, *planned) : std::string();
}

Spec worker_base(const Spec& flow) {
  auto spec = flow;
  spec.flow.reset();
  spec.input.clear();
  return spec;
}

Spec op_spec(const FlowState& state, const Spec& flow, const Spec& base, std::string_view op, std::int64_t attempt,
             const std::optional<ModelChoice>& choice) {
  const auto* planned = planned_op(state, op);
  auto spec = start_spec(flow, base, planned ? find_agent(state.plan, planned->agent_id) : nullptr);
  spec.limits.timeout_ms = 0;  // the flow's own ends them all
  // What it has used the flow learns when it has ended: until then it may use what is left.
  const auto left = [](std::int64_t budget, std::int64_t used) { return budget > 0 ? std::max<std::int64_t>(1, budget - used) : 0; };
  spec.limits.tokens = left(flow.limits.tokens, state.usage.total());
  spec.limits.cost_micros = left(flow.limits.cost_micros, state.usage.cost_micros);
  if (choice) {
    // What belongs to one provider says nothing about another.
    if (choice->provider != spec.provider) spec.backend.clear(), spec.base_url.clear(), spec.definition.has_key = false;
    spec.provider = choice->provider;
    spec.model = choice->model;
    spec.effort = choice->effort;
  }
  if (!planned) {
    spec.tools.clear();
    spec.mcp_servers.clear();
    spec.system_prompt = kPlannerRole;
    spec.input = op == kSynthesisOp ? synthesis_prompt(state, flow) : op == kPlanOp ? plan_prompt(state, flow, attempt) : replan_prompt(state, flow, op, attempt);
    if (op == kSynthesisOp) spec.system_prompt = "You are the orchestrator of a flow. Its work has been done; you bring the results together.";
    return spec;
  }
  spec.limits.timeout_ms = planned->timeout_ms;
  spec.roots = {flow.flow->directory};
  if (!flow.work_directory.empty()) spec.roots.push_back(flow.work_directory);
  spec.work_directory = agent_directory(flow, planned->agent_id);
  spec.input = work_prompt(state, flow, *planned, attempt);
  return spec;
}

}  // namespace run
