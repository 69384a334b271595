// A plan from JSON, in either schema, and back.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "run/flow_plan.h"
#include "run/flow_plan_fields.h"

namespace run {

namespace json = boost::json;

namespace {

// "op 'o1'", or "operations[0]" where it has no id to be named by.
std::string place(std::string_view what, std::string_view id, std::string_view list, std::size_t index) {
  if (!id.empty()) return std::string(what) + " " + quoted(id);
  return std::string(list) + "[" + std::to_string(index) + "]";
}

// The objects of a list, with their places.
template <class Take>
void each_object(PlanFields& fields, std::string_view key, std::string_view what, std::string& problem, Take take) {
  const auto* items = fields.list(key);
  if (!items) return;
  for (std::size_t i = 0; i < items->size() && problem.empty(); ++i) {
    const auto* object = (*items)[i].if_object();
    if (!object) return fields.wrong(key, "must be a list of objects");
    std::string ignored;
    take(PlanFields(*object, place(what, PlanFields(*object, "", ignored).text({"id"}), key, i), problem));
  }
}

FlowAgent agent_of(PlanFields fields) {
  FlowAgent agent{.id = fields.text({"id"}),
                  .role = fields.text({"role"}),
                  .name = fields.text({"name"}),
                  .model = fields.text({"model"}),
                  .guidance = fields.text({"guidance"}),
                  .branch = fields.text({"branch"})};
  if (base::trim(agent.role).empty()) agent.role = agent.id;
  return agent;
}

FlowOp op_of(PlanFields fields) {
  return {.id = fields.text({"id"}),
          .agent_id = fields.text({"agent_id", "agent"}),
          .instruction = fields.text({"instruction"}),
          .guidance = fields.text({"guidance"}),
          .depends_on = fields.edges("depends_on"),
          .control = fields.flag("control"),
          .timeout_ms = fields.milliseconds_of_seconds("timeout"),
          .retries = fields.count("retries", kFlowRetriesMax),
          .fallback = fields.texts("fallback"),
          .artifacts = fields.paths("artifacts")};
}

// An id from whatever an assignee is called: "Security Reviewer" is Security-Reviewer.
std::string plain_name(std::string_view text) {
  constexpr std::size_t kBytesMax = kFlowIdBytesMax - 8;  // room for a suffix
  std::string id;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    if (plain && !(c == '.' && id.empty()))
      id += c;
    else if (!id.empty() && id.back() != '-')
      id += '-';
    if (id.size() >= kBytesMax) break;
  }
  while (!id.empty() && id.back() == '-') id.pop_back();
  return id.empty() ? "agent" : id;
}

// "2" is the second assignment, as is "o2"; what is neither stays, for check_plan to name.
std::string op_of_ordinal(std::string_view ordinal) {
  const auto number = base::parse_int(base::trim(ordinal));
  return number ? "o" + std::to_string(*number) : std::string(ordinal);
}

class Assignments {
 public:
  explicit Assignments(FlowPlan& plan) : plan_(plan) {}

  void add(PlanFields fields) {
    const auto assignee = std::string(base::trim(fields.text({"assignee"})));
    if (assignee.empty()) fields.wrong("assignee", "is missing");
    FlowOp op{.id = "o" + std::to_string(plan_.operations.size() + 1),
              .agent_id = unused(plain_name(assignee)),
              .instruction = instruction_of(fields),
              .depends_on = fields.edges("depends_on")};
    for (auto& edge : op.depends_on) edge.op = op_of_ordinal(edge.op);
    for (const auto& mode : fields.texts("modes")) op.guidance += (op.guidance.empty() ? "Modes: " : ", ") + mode;
    plan_.agents.push_back({.id = op.agent_id, .role = assignee});
    plan_.operations.push_back(std::move(op));
  }

 private:
  static std::string instruction_of(PlanFields& fields) {
    auto text = fields.text({"task"});
    if (base::trim(text).empty()) return {};
    const auto inputs = fields.texts("inputs");
    if (!inputs.empty()) text += "\n\nInputs:";
    for (const auto& input : inputs) text += "\n- " + input;
    const auto criteria = fields.texts("exit_criteria");
    if (!criteria.empty()) text += "\n\nDone when:";
    for (const auto& criterion : criteria) text += (criteria.size() == 1 ? " " : "\n- ") + criterion;
    return text;
  }

  std::string unused(const std::string& name) {
    auto id = name;
    while (!taken_.insert(id).second) id = name + "-" + std::to_string(++suffix_.try_emplace(name, 1).first->second);
    return id;
  }

  FlowPlan& plan_;
  std::set<std::string> taken_;
  std::map<std::string, int> suffix_;  // the last one given
};

json::object json_of(const FlowAgent& agent) {
  json::object o{{"id", agent.id}, {"role", agent.role}};
  if (!agent.name.empty()) o["name"] = agent.name;
  if (!agent.model.empty()) o["model"] = agent.model;
  if (!agent.guidance.empty()) o["guidance"] = agent.guidance;
  if (!agent.branch.empty()) o["branch"] = agent.branch;
  return o;
}

json::array json_of(const std::vector<FlowEdge>& edges) {
  json::array list;
  for (const auto& edge : edges) {
    if (edge.on_failure == OnFailure::stop)
      list.emplace_back(edge.op);
    else
      list.emplace_back(json::object{{"op", edge.op}, {"on_failure", name(edge.on_failure)}});
  }
  return list;
}

json::object json_of(const FlowOp& op) {
  json::object o{{"id", op.id}, {"agent_id", op.agent_id}, {"instruction", op.instruction}};
  if (!op.guidance.empty()) o["guidance"] = op.guidance;
  if (!op.depends_on.empty()) o["depends_on"] = json_of(op.depends_on);
  if (op.control) o["control"] = true;
  if (op.timeout_ms % 1000 != 0) o["timeout"] = static_cast<double>(op.timeout_ms) / 1000;
  if (op.timeout_ms != 0 && op.timeout_ms % 1000 == 0) o["timeout"] = op.timeout_ms / 1000;
  if (op.retries != 0) o["retries"] = op.retries;
  if (!op.fallback.empty()) o["fallback"] = json::array(op.fallback.begin(), op.fallback.end());
  if (!op.artifacts.empty()) o["artifacts"] = json::array(op.artifacts.begin(), op.artifacts.end());
  return o;
}

}  // namespace

base::Result<FlowPlan> plan_of(const json::object& object) {
  FlowPlan plan;
  std::string problem;
  PlanFields fields(object, "", problem);
  if (fields.find("assignments") && !fields.find("operations")) {
    Assignments assignments(plan);
    each_object(fields, "assignments", "assignment", problem, [&](PlanFields one) { assignments.add(std::move(one)); });
  } else {
    each_object(fields, "agents", "agent", problem, [&](PlanFields one) { plan.agents.push_back(agent_of(std::move(one))); });
    each_object(fields, "operations", "op", problem, [&](PlanFields one) { plan.operations.push_back(op_of(std::move(one))); });
  }
  plan.synthesis = fields.flag("synthesis");
  if (!problem.empty()) return base::fail(base::Errc::invalid_argument, "Invalid plan: " + problem);
  return plan;
}

json::object to_json(const FlowPlan& plan) {
  json::array agents, operations;
  for (const auto& agent : plan.agents) agents.push_back(json_of(agent));
  for (const auto& op : plan.operations) operations.push_back(json_of(op));
  return {{"agents", std::move(agents)}, {"operations", std::move(operations)}, {"synthesis", plan.synthesis}};
}

}  // namespace run
