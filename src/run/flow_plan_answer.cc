// What a model has answered: the JSON in it, among whatever else it says.
#include <functional>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "run/flow_plan.h"
#include "run/flow_plan_fields.h"

namespace run {

namespace json = boost::json;

namespace {

// Each opening bracket may be the begin of a plan, and each look reads ahead: bounded, or it would be quadratic.
constexpr std::size_t kLookBytesMax = 32 << 20;
constexpr int kDepthMax = 64;  // of base::parse_json
constexpr std::string_view kSpace = " \t\r\n";

// The text from an opening bracket to the one that closes it; nothing where none does, or where it cannot be JSON.
std::optional<std::string_view> balanced(std::string_view text, std::size_t from, std::size_t& looked) {
  int depth = 0;
  bool in_string = false;
  for (auto i = from; i < text.size(); ++i, ++looked) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return std::nullopt;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return text.substr(from, i + 1 - from);
    }
  }
  return std::nullopt;
}

// Whether an object, or a list of objects, can begin here.
bool may_begin(std::string_view text, std::size_t at) {
  const auto next = text.find_first_not_of(kSpace, at + 1);
  if (next == std::string_view::npos) return false;
  if (text[at] == '{') return text[next] == '"';
  return text[at] == '[' && text[next] == '{';
}

// Shows `take` the objects and lists of objects in the text, until it is content: first those that begin a code fence, then all
// in their order, inner ones after those that hold them.
void each_json(std::string_view text, const std::function<bool(const json::value&)>& take) {
  std::size_t looked = 0;
  const auto done = [&](std::size_t at) {
    if (!may_begin(text, at)) return false;
    const auto part = balanced(text, at, looked);
    if (!part) return false;
    looked += part->size();
    const auto value = base::parse_json(*part);
    return value && take(*value);
  };
  for (auto fence = text.find("```"); fence != std::string_view::npos && looked < kLookBytesMax / 2;
       fence = text.find("```", fence + 3)) {
    const auto line_end = text.find('\n', fence);
    const auto begin = line_end == std::string_view::npos ? line_end : text.find_first_not_of(kSpace, line_end);
    if (begin != std::string_view::npos && done(begin)) return;
  }
  for (auto at = text.find_first_of("{["); at != std::string_view::npos && looked < kLookBytesMax;
       at = text.find_first_of("{[", at + 1))
    if (done(at)) return;
}

// Looks for something of a kind: the first that can be read, else why the first one could not.
template <class T>
struct Found {
  std::optional<T> value = {};
  std::optional<base::Error> error = {};

  bool take(base::Result<T> read) {
    if (read)
      value = std::move(*read);
    else if (!error)
      error = std::move(read.error());
    return value.has_value();
  }
  base::Result<T> result(std::string_view otherwise) && {
    if (value) return std::move(*value);
    if (error) return std::unexpected(std::move(*error));
    return base::fail(base::Errc::invalid_argument, std::string(otherwise));
  }
};

base::Result<Verdict> verdict_of(const json::object& object) {
  std::string problem;
  PlanFields fields(object, "", problem);
  if (!fields.find("should_continue")) fields.wrong("should_continue", "must be true or false");
  Verdict verdict{.should_continue = fields.flag("should_continue"), .reason = fields.text({"reason"})};
  const auto steps = fields.texts("next_steps");
  for (const auto& step : steps) verdict.next_steps += (steps.size() > 1 ? "- " : "") + step + (steps.size() > 1 ? "\n" : "");
  if (steps.size() > 1) verdict.next_steps.pop_back();
  if (verdict.reason.size() > kFlowTextBytesMax) fields.wrong("reason", "is too long");
  if (verdict.next_steps.size() > kFlowTextBytesMax) fields.wrong("next_steps", "is too long");
  if (!problem.empty()) return base::fail(base::Errc::invalid_argument, "Invalid verdict: " + problem);
  return verdict;
}

FlowOp op_of_request(PlanFields& outer, std::string_view where, std::string& problem) {
  const auto* instruct = outer.find("instruct");
  const json::object none;
  // `instruct` may be the instruction itself, or be left out around it.
  const bool nested = instruct && instruct->is_object();
  PlanFields inner(nested ? instruct->get_object() : none, std::string(where), problem);
  PlanFields& fields = nested ? inner : outer;
  FlowOp op;
  op.instruction = fields.text({instruct && !nested ? "instruct" : "instruction"});
  op.guidance = fields.text({"guidance"});
  if (base::trim(op.instruction).empty()) fields.wrong("instruction", "is missing");
  if (const auto* context = fields.find("context"))
    op.instruction += "\n\nContext:\n" + (context->is_string() ? std::string(context->get_string()) : base::to_text(*context));
  return op;
}

base::Result<FlowPlan> requests_of(const json::array& requests) {
  FlowPlan plan;
  std::string problem;
  for (std::size_t i = 0; i < requests.size() && problem.empty(); ++i) {
    const auto where = "requests[" + std::to_string(i) + "]";
    const auto* object = requests[i].if_object();
    if (!object) {
      problem = where + " must be an object";
      break;
    }
    PlanFields fields(*object, where, problem);
    auto op = op_of_request(fields, where, problem);
    op.id = "o" + std::to_string(i + 1);
    op.agent_id = "worker-" + std::to_string(i + 1);
    plan.agents.push_back({.id = op.agent_id, .role = op.agent_id, .model = fields.text({"model"})});
    plan.operations.push_back(std::move(op));
  }
  if (!problem.empty()) return base::fail(base::Errc::invalid_argument, "Invalid requests: " + problem);
  return plan;
}

bool looks_like_requests(const json::array& list) {
  const auto* first = list.empty() ? nullptr : list.front().if_object();
  return first && (first->contains("instruct") || first->contains("instruction"));
}

}  // namespace

base::Result<FlowPlan> parse_plan(std::string_view text) {
  Found<FlowPlan> found;
  each_json(text, [&](const json::value& value) {
    const auto* o = value.if_object();
    if (!o || !(o->contains("operations") || o->contains("agents") || o->contains("assignments"))) return false;
    auto plan = plan_of(*o);
    if (plan && plan->operations.empty()) return false;  // nothing to do is no plan
    return found.take(std::move(plan));
  });
  auto plan = std::move(found).result("Orchestrator produced no flow plan.");
  if (!plan) return plan;
  for (auto& agent : plan->agents) agent.name.clear(), agent.branch.clear();
  return plan;
}

base::Result<Verdict> parse_verdict(std::string_view text) {
  Found<Verdict> found;
  each_json(text, [&](const json::value& value) {
    const auto* o = value.if_object();
    return o && o->contains("should_continue") && found.take(verdict_of(*o));
  });
  return std::move(found).result("Control op produced no verdict.");
}

base::Result<FlowPlan> parse_requests(std::string_view text) {
  Found<FlowPlan> found;
  each_json(text, [&](const json::value& value) {
    const auto* o = value.if_object();
    const auto* list = o ? base::array_field(*o, "requests") : value.if_array();
    return list && !list->empty() && (o || looks_like_requests(*list)) && found.take(requests_of(*list));
  });
  return std::move(found).result("Orchestrator produced no agent requests.");
}

}  // namespace run
