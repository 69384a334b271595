#pragma once
// What happens in a flow, besides what happens in its operations' own runs: events of the flow's log (run/event.h).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "run/flow_plan.h"
#include "run/message.h"

namespace run {

// The orchestrator's own operations; no plan can name them, '@' is in no id. Later rounds plan as "@plan2", "@plan3".
inline constexpr std::string_view kPlanOp = "@plan";
inline constexpr std::string_view kSynthesisOp = "@synthesis";
std::string plan_op(std::int64_t round);
bool is_plan_op(std::string_view op);

// A round's plan holds: these agents and operations are added. One without operations ends the rounds.
struct FlowPlanned {
  std::int64_t round = 1;
  FlowPlan plan;
  std::int64_t truncated_to = 0;           // 0: nothing was cut off
  std::vector<std::string> left_out = {};  // of a re-plan, each with the reason
};

// An attempt at an operation has begun: the run is there.
struct OpStarted {
  std::string op;
  std::int64_t attempt = 1;
  std::string run_id;
};

enum class OpOutcome {
  done,
  failed,
  skipped,  // it was not done, because of one that it depends on
  cut,      // it was ended with the flow: a resumed flow does it again
};

struct OpEnded {
  std::string op;
  std::int64_t attempt = 1;
  std::string run_id = {};
  OpOutcome outcome = OpOutcome::done;
  std::string content = {};        // what it answered
  std::string cause = {}, error = {};  // why it did not
  std::int64_t duration_ms = 0;    // of all attempts
  Usage usage = {};                // of this attempt
  std::string digest = {};         // of what went into it (docs/formats/flow.md)
  std::optional<Verdict> verdict = {};
  std::int64_t retry_at_ms = 0;    // not the end of it: another attempt begins then
  bool carried = false;            // in the flow that this one resumes
};

// The fields of these events; reading tolerates what it does not know.
boost::json::object fields_of(const FlowPlanned& event);
boost::json::object fields_of(const OpStarted& event);
boost::json::object fields_of(const OpEnded& event);
FlowPlanned read_flow_planned(const boost::json::object& fields);
OpStarted read_op_started(const boost::json::object& fields);
OpEnded read_op_ended(const boost::json::object& fields);

std::string_view name(OpOutcome outcome);

}  // namespace run
