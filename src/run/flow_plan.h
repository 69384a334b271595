#pragma once
// The plan of a flow: which agents there are, which operations they do, and what each waits for. Pure; docs/formats/flow-plan.md.
// Plans come from models and from files: everything in them is checked before anything runs.
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace run {

// What becomes of an operation when one that it depends on has failed.
enum class OnFailure {
  stop,            // it is not done (the default)
  skip,            // it is done without it
  run_with_error,  // it is done, and told of the error in place of the result
};

struct FlowEdge {
  std::string op;
  OnFailure on_failure = OnFailure::stop;
};

struct FlowAgent {
  std::string id;
  std::string role;
  std::string name = {};   // as shown: the role, then role-2, role-3; given by name_agents
  std::string model = {};  // "provider/model[-effort]"; "": the profile's, else the flow's
  std::string guidance = {};
  std::string branch = {};  // its session; given when the plan is recorded
};

struct FlowOp {
  std::string id, agent_id, instruction;
  std::string guidance = {};  // "": the agent's
  std::vector<FlowEdge> depends_on = {};
  bool control = false;                     // answers with a verdict, after the round's other operations
  std::int64_t timeout_ms = 0;              // of one attempt; 0: none of its own
  int retries = 0;                          // further attempts after a failure
  std::vector<std::string> fallback = {};   // models for further attempts after the provider has failed
  std::vector<std::string> artifacts = {};  // files that must be there and not empty when it has ended
};

struct FlowPlan {
  std::vector<FlowAgent> agents;
  std::vector<FlowOp> operations;
  bool synthesis = false;
};

// What a control operation answers.
struct Verdict {
  bool should_continue = false;
  std::string reason = {}, next_steps = {};
};

inline constexpr std::size_t kFlowOpsMax = 200;
inline constexpr std::size_t kFlowIdBytesMax = 64;
inline constexpr std::size_t kFlowTextBytesMax = 256 << 10;  // an instruction, a guidance
inline constexpr std::size_t kFlowPlanBytesMax = 2 << 20;    // a plan as JSON text: it is recorded in one event
inline constexpr std::size_t kFlowNameBytesMax = 128;        // a role, a model
inline constexpr std::size_t kFlowPathBytesMax = 512;        // an artifact's path
inline constexpr std::size_t kFlowFilesMax = 64;             // artifacts of an operation
inline constexpr int kFlowRetriesMax = 10;

// The plan in a model's answer: a JSON object, bare, in a code fence or among other words. Both schemas: agents and operations,
// or assignments. Errc::invalid_argument with one sentence for the model and the user; an answer without any plan is
// "Orchestrator produced no flow plan.". A plan that was read may still be invalid: check_plan. Names and branches are not
// the model's to give: they are dropped.
base::Result<FlowPlan> parse_plan(std::string_view text);
// The same of a parsed object, for files and for what to_json wrote.
base::Result<FlowPlan> plan_of(const boost::json::object& object);
// In the first schema, whole: plan_of gives it back, names and branches included.
boost::json::object to_json(const FlowPlan& plan);

// The answer of a control operation, likewise; and the requests of a fan-out as a plan of operations without dependencies, of
// agents worker-1, worker-2 ... (`[{instruct: {instruction, context?, guidance?}, model?}]`, bare or under `requests`).
base::Result<Verdict> parse_verdict(std::string_view text);
base::Result<FlowPlan> parse_requests(std::string_view text);

// Everything that must hold before anything runs; the first thing that does not, as
// `Invalid plan: op 'o2' references unknown agent 'x' (known: [a, b])`. `known`: what earlier rounds have planned, which new
// operations may depend on and whose agents they may use. The round's control operation comes after all others of its round,
// so that none of them may depend on it.
base::Result<> check_plan(const FlowPlan& plan, const FlowPlan& known = {});

// Cuts a plan to its first `ops_max` operations in the order of listing, and those that depend on a cut one; agents that have
// none left go. How many were cut.
std::size_t truncate_plan(FlowPlan& plan, std::size_t ops_max);

// Gives agents their names, after those that `known` has given.
void name_agents(FlowPlan& plan, const FlowPlan& known = {});

// What a re-plan adds to what is known: operations with known ids, of unknown agents or with unknown dependencies are left out,
// each with a line that says so. The second control operation of a round likewise, and whatever waits for one of its own round.
// A known agent that is described once more stays as it was.
struct Addition {
  FlowPlan plan;
  std::vector<std::string> left_out;
};
Addition added_plan(FlowPlan plan, const FlowPlan& known);

// "3 agents, 3 ops — o1:r1 | o2:i1 ← o1 | o3:rv1 ← o2"; no newline.
std::string plan_line(const FlowPlan& plan);

// What --dry-run prints, its last newline included. `models`: of each agent, in their order: "claude/sonnet (plan)".
std::string dry_run_text(const FlowPlan& plan, const std::vector<std::string>& models);

// Everything that an operation depends on, near or far.
std::set<std::string> upstream_of(const FlowPlan& plan, std::string_view op);

}  // namespace run
