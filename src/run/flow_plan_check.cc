// What must hold of a plan before anything runs.
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/ids.h"
#include "base/json.h"
#include "base/text.h"
#include "run/flow_plan.h"
#include "run/flow_plan_fields.h"

namespace run {

namespace {

constexpr std::size_t kShownIdsMax = 20;

// Each check gives what is wrong, or "".
using Problem = std::string;

std::string named(std::string_view what, std::string_view id) { return std::string(what) + " " + quoted(id); }

std::string plural(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

// "(known: [a, b])": what a mistyped id could have been.
template <class Item>
std::string known_text(const std::vector<Item>& items, const std::vector<Item>& earlier) {
  std::string text;
  std::size_t count = 0;
  for (const auto* list : {&earlier, &items})
    for (const auto& item : *list)
      if (++count <= kShownIdsMax) text += (count > 1 ? ", " : "") + item.id;
  if (count > kShownIdsMax) text += ", and " + std::to_string(count - kShownIdsMax) + " more";
  return " (known: [" + text + "])";
}

Problem text_problem(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return "is longer than " + std::to_string(bytes_max) + " bytes";
  if (!base::valid_utf8(text)) return "is not valid UTF-8";
  if (text.find('\0') != std::string_view::npos) return "holds a NUL character";
  return {};
}

// A text that stands in one line of a list.
Problem line_problem(std::string_view text, std::size_t bytes_max = kFlowNameBytesMax) {
  if (auto problem = text_problem(text, bytes_max); !problem.empty()) return problem;
  const bool plain = std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return plain ? "" : "holds a line break or another control character";
}

Problem id_problem(std::string_view id) {
  if (id.empty()) return "has no id";
  if (id.size() > kFlowIdBytesMax) return "has an id longer than " + std::to_string(kFlowIdBytesMax) + " bytes";
  if (id.front() == '.' || id.front() == '-' || !base::valid_run_id(id))
    return "has an id that is no directory name: use A-Z a-z 0-9 . _ - and begin with a letter, digit or _";
  return {};
}

// Agents have their directories beside the files of the flow.
bool is_name_of_a_flow_file(std::string_view id) {
  return id.starts_with("flow.log") || id == "flow_dag.png" || id == "synthesis.md";
}

// Relative, and not out of the directory that it is relative to.
Problem path_problem(std::string_view path) {
  if (auto problem = line_problem(path, kFlowPathBytesMax); !problem.empty()) return problem;
  if (base::trim(path).empty()) return "is empty";
  if (path.front() == '/' || path.front() == '~') return "must be relative to the agent's directory";
  std::string_view last;
  for (const auto part : base::split(path, '/')) {
    if (part == "..") return "must stay in the agent's directory";
    last = part;
  }
  return last.empty() || last == "." ? "must name a file" : "";
}

Problem check_agent(const FlowAgent& agent) {
  if (auto problem = id_problem(agent.id); !problem.empty()) return problem;
  if (is_name_of_a_flow_file(agent.id)) return "has the name of a file of the flow";
  if (auto problem = line_problem(agent.role); !problem.empty()) return ": its role " + problem;
  if (auto problem = line_problem(agent.model); !problem.empty()) return ": its model " + problem;
  if (auto problem = text_problem(agent.guidance, kFlowTextBytesMax); !problem.empty()) return ": its guidance " + problem;
  return {};
}

Problem check_op(const FlowOp& op) {
  if (auto problem = id_problem(op.id); !problem.empty()) return problem;
  if (base::trim(op.instruction).empty()) return "has no instruction";
  if (auto problem = text_problem(op.instruction, kFlowTextBytesMax); !problem.empty()) return ": its instruction " + problem;
  if (auto problem = text_problem(op.guidance, kFlowTextBytesMax); !problem.empty()) return ": its guidance " + problem;
  if (op.timeout_ms < 0) return ": its timeout is negative";
  if (op.retries < 0 || op.retries > kFlowRetriesMax) return ": its retries are not from 0 to " + std::to_string(kFlowRetriesMax);
  if (op.fallback.size() > static_cast<std::size_t>(kFlowRetriesMax))
    return "has more than " + std::to_string(kFlowRetriesMax) + " fallback models";
  for (const auto& model : op.fallback) {
    if (base::trim(model).empty()) return ": a fallback model is empty";
    if (auto problem = line_problem(model); !problem.empty()) return ": a fallback model " + problem;
  }
  if (op.artifacts.size() > kFlowFilesMax) return "has more than " + std::to_string(kFlowFilesMax) + " artifacts";
  for (const auto& path : op.artifacts)
    if (auto problem = path_problem(path); !problem.empty()) return ": the artifact " + quoted(path) + " " + problem;
  return {};
}

// "op 'o1' has no instruction", "op 'o1': its guidance is ...".
Problem of(std::string whose, const Problem& problem) {
  if (problem.empty()) return {};
  return std::move(whose) + (problem.front() == ':' ? "" : " ") + problem;
}

class PlanCheck {
 public:
  PlanCheck(const FlowPlan& plan, const FlowPlan& known) : plan_(plan), known_(known) {}

  Problem first_problem() {
    for (const auto check : {&PlanCheck::counts, &PlanCheck::agents, &PlanCheck::operations, &PlanCheck::dependencies,
                             &PlanCheck::one_control, &PlanCheck::no_circle, &PlanCheck::size})
      if (auto problem = (this->*check)(); !problem.empty()) return problem;
    return {};
  }

 private:
  Problem counts() {
    const auto ops = plan_.operations.size() + known_.operations.size();
    const auto agents = plan_.agents.size() + known_.agents.size();
    if (ops > kFlowOpsMax) return plural(ops, "op") + ", at most " + std::to_string(kFlowOpsMax) + " are possible";
    if (agents > kFlowOpsMax) return plural(agents, "agent") + ", at most " + std::to_string(kFlowOpsMax) + " are possible";
    return {};
  }

  Problem agents() {
    for (const auto& agent : known_.agents) agents_.insert(agent.id);
    for (std::size_t i = 0; i < plan_.agents.size(); ++i) {
      const auto& agent = plan_.agents[i];
      const auto whose = agent.id.empty() ? "agents[" + std::to_string(i) + "]" : named("agent", agent.id);
      if (auto problem = check_agent(agent); !problem.empty()) return of(whose, problem);
      if (!agents_.insert(agent.id).second) return "duplicate agent id " + quoted(agent.id);
    }
    return {};
  }

  Problem operations() {
    for (const auto& op : known_.operations) known_ops_.insert(op.id);
    for (std::size_t i = 0; i < plan_.operations.size(); ++i) {
      const auto& op = plan_.operations[i];
      const auto whose = op.id.empty() ? "operations[" + std::to_string(i) + "]" : named("op", op.id);
      if (auto problem = check_op(op); !problem.empty()) return of(whose, problem);
      if (known_ops_.contains(op.id) || !ops_.emplace(op.id, i).second) return "duplicate op id " + quoted(op.id);
      if (!agents_.contains(op.agent_id))
        return whose + " references unknown agent " + quoted(op.agent_id) + known_text(plan_.agents, known_.agents);
    }
    return {};
  }

  Problem dependencies() {
    for (const auto& op : plan_.operations) {
      std::unordered_set<std::string_view> seen;
      for (const auto& [on, policy] : op.depends_on) {
        if (on == op.id) return named("op", op.id) + " depends on itself";
        const auto found = ops_.find(on);
        if (found == ops_.end() && !known_ops_.contains(on))
          return named("op", op.id) + " depends on unknown op " + quoted(on) + known_text(plan_.operations, known_.operations);
        if (!seen.insert(on).second) return named("op", op.id) + " depends on op " + quoted(on) + " twice";
        // It comes after all others of its round, so this one would wait for itself.
        if (found != ops_.end() && plan_.operations[found->second].control && !op.control)
          return named("op", op.id) + " depends on the control op " + quoted(on) + ", which comes after all others of its round";
      }
    }
    return {};
  }

  Problem one_control() {
    const FlowOp* first = nullptr;
    for (const auto& op : plan_.operations) {
      if (!op.control) continue;
      if (first) return "more than one control op: " + quoted(first->id) + " and " + quoted(op.id);
      first = &op;
    }
    return {};
  }

  // Takes away what waits for nothing until only circles, and what waits for them, are left.
  Problem no_circle() {
    const auto count = plan_.operations.size();
    std::vector<std::size_t> waits(count), ready;
    std::vector<std::vector<std::size_t>> waiters(count);
    for (std::size_t i = 0; i < count; ++i) {
      for (const auto& edge : plan_.operations[i].depends_on)
        if (const auto found = ops_.find(edge.op); found != ops_.end()) waiters[found->second].push_back(i), ++waits[i];
      if (waits[i] == 0) ready.push_back(i);
    }
    for (std::size_t next = 0; next < ready.size(); ++next)
      for (const auto waiter : waiters[ready[next]])
        if (--waits[waiter] == 0) ready.push_back(waiter);
    if (ready.size() == count) return {};
    const auto left = std::ranges::find_if(waits, [](std::size_t n) { return n > 0; });
    return circle_text(static_cast<std::size_t>(left - waits.begin()), waits);
  }

  // From an operation that is left, some dependency that is left as well leads ever on, so into a circle.
  Problem circle_text(std::size_t at, const std::vector<std::size_t>& waits) {
    std::vector<std::size_t> path, place(plan_.operations.size(), SIZE_MAX);
    while (place[at] == SIZE_MAX) {
      place[at] = path.size();
      path.push_back(at);
      for (const auto& edge : plan_.operations[at].depends_on) {
        const auto found = ops_.find(edge.op);
        if (found == ops_.end() || waits[found->second] == 0) continue;
        at = found->second;
        break;
      }
    }
    path.erase(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(place[at]));
    std::ranges::rotate(path, std::ranges::min_element(path));
    std::string text = "ops wait for each other in a circle: ";
    for (std::size_t i = 0; i < path.size() && i < kShownIdsMax; ++i) text += plan_.operations[path[i]].id + " ← ";
    if (path.size() > kShownIdsMax) text += "… ← ";
    return text + plan_.operations[path.front()].id;
  }

  Problem size() {
    if (base::to_text(to_json(plan_)).size() <= kFlowPlanBytesMax) return {};
    return "it is longer than " + std::to_string(kFlowPlanBytesMax) + " bytes";
  }

  const FlowPlan& plan_;
  const FlowPlan& known_;
  std::unordered_set<std::string_view> agents_;  // known ones as well
  std::unordered_set<std::string_view> known_ops_;
  std::unordered_map<std::string_view, std::size_t> ops_;  // where they stand in the plan
};

}  // namespace

base::Result<> check_plan(const FlowPlan& plan, const FlowPlan& known) {
  if (plan.operations.empty()) return base::fail(base::Errc::invalid_argument, "Orchestrator produced no flow plan.");
  const auto problem = PlanCheck(plan, known).first_problem();
  if (!problem.empty()) return base::fail(base::Errc::invalid_argument, "Invalid plan: " + problem);
  return {};
}

}  // namespace run
