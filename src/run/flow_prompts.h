#pragma once
// What the agents of a flow are told, and the specs of their runs. Pure.
#include <string>

#include "run/flow.h"

namespace run {

// The model of an operation's run, in parts.
struct ModelChoice {
  std::string provider, model, effort;
};

// What all runs of a flow begin from: its spec, without what makes it a flow (which may be large: made once).
Spec worker_base(const Spec& flow);

// The spec of the run that makes this attempt at an operation; the orchestrator's own operations too. `base` is the flow's
// worker_base; `choice`: of the model that flow_model names, nothing where that is the flow's own. The work directory is the agent's
// own, which must be made.
Spec op_spec(const FlowState& state, const Spec& flow, const Spec& base, std::string_view op, std::int64_t attempt,
             const std::optional<ModelChoice>& choice);

// "provider/model[-effort]" of an operation, the orchestrator's too; "": the flow's own.
std::string flow_model(const FlowState& state, const Spec& flow, std::string_view op);

// <directory>/<agent_id>.
std::string agent_directory(const Spec& flow, const std::string& agent_id);

}  // namespace run
