#pragma once
// What a flow is to do besides what every run's spec says: the spec's own model, tools, limits and work directory are those of its
// workers. `input` is the task.
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/flow_event.h"

namespace run {

// A profile that a plan may name as a role.
struct FlowRole {
  std::string name;
  std::string model;  // "provider/model[-effort]", "" the flow's; for the planner and the dry run
  std::string spec;   // a Spec as JSON text, without input and place
};

struct FlowSpec {
  bool fanout = false;                  // requests instead of a graph
  std::optional<FlowPlan> plan = {};    // given, instead of planned
  std::vector<OpEnded> carried = {};    // of the flow that this one resumes
  std::string resumed_run = {};         // ... its run id
  std::int64_t ops_max = 0;             // 0: no cap but kFlowOpsMax
  std::int64_t concurrent_max = 0;      // 0: all that are ready
  std::int64_t workers = 0;             // of a fan-out
  std::vector<std::string> worker_models = {};
  bool bare = false;                    // profiles are not looked at
  bool dry_run = false;                 // it ends with its plan
  bool synthesis = false;
  std::string synthesis_model = {}, synthesis_prompt = {};
  std::string directory;                // absolute: one directory an agent is made in it
  bool saved = false;                   // the user named it: flow.log and the like are kept there
  std::string graph = {};               // "png", "svg", "dot", "mermaid": its picture is drawn when it has ended; "": none
  std::vector<FlowRole> roles = {};
  std::vector<std::string> expected = {};  // files below the directory that must be there and not empty in the end
  std::string team = {}, team_name = {};  // whose mail the workers read; the team's id
  bool team_attached = false;             // it was there before
  std::string notify = {};                // a command for when it has ended (run/flow_notify.h); "": none
  std::string invocation = {}, project = {};  // what its user groups it by
};

boost::json::object to_json(const FlowSpec& spec);
FlowSpec flow_spec_of(const boost::json::object& o);

}  // namespace run
