#include "app/spec_of.h"

#include "base/limits.h"

namespace app {

namespace limits = base::limits;

run::Spec spec_of(const Agent& agent) {
  run::Spec spec;
  spec.provider = agent.brain.provider;
  spec.model = agent.brain.model;
  spec.effort = agent.brain.effort;
  spec.backend = agent.brain.endpoint.backend.value_or("");
  spec.base_url = agent.brain.endpoint.base_url.value_or("");
  spec.system_prompt = agent.system_prompt;
  for (const auto& tool : agent.tools)
    if (tool.gate != Gate::deny)
      spec.tools.push_back({.name = tool.name,
                            .gate = tool.gate == Gate::approve ? run::Gate::approve : run::Gate::allow,
                            .recovery = tool.recovery});
  spec.limits.turns = agent.max_turns.value_or(limits::kTurnsMax);
  spec.limits.tool_calls = limits::kToolCallsMax;
  spec.limits.timeout_ms = agent.timeout_ms.value_or(0);
  spec.limits.foreground_ms = agent.foreground_ms.value_or(limits::kForegroundMs);
  spec.limits.approval_ms = agent.approval_ms.value_or(0);
  spec.settings = agent.settings;
  spec.limits.model_call_ms = agent.brain.endpoint.timeout_ms.value_or(0);
  spec.recovery = agent.recovery.value_or(run::Recovery::resume);
  spec.temperature = agent.brain.temperature;
  spec.top_p = agent.brain.top_p;
  spec.max_tokens = agent.brain.max_tokens;
  return spec;
}

}  // namespace app
