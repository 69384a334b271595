#include "app/spec_of.h"

#include "base/limits.h"

namespace app {

namespace limits = base::limits;

namespace {

run::Gate gate_of(Gate gate) {
  switch (gate) {
    case Gate::allow: return run::Gate::allow;
    case Gate::approve: return run::Gate::approve;
    case Gate::deny: return run::Gate::deny;
  }
  return run::Gate::deny;
}

}  // namespace

run::Spec spec_of(const Agent& agent) {
  run::Spec spec;
  spec.provider = agent.brain.provider;
  spec.model = agent.brain.model;
  spec.effort = agent.brain.effort;
  spec.backend = agent.brain.endpoint.backend.value_or("");
  spec.base_url = agent.brain.endpoint.base_url.value_or("");
  spec.system_prompt = agent.system_prompt;
  for (const auto& tool : agent.tools)
    // Only among a server's tools, which are granted by their prefix, need one that is denied be named.
    if (tool.gate != Gate::deny || tool.name.starts_with("mcp_"))
      spec.tools.push_back({.name = tool.name, .gate = gate_of(tool.gate), .recovery = tool.recovery});
  spec.mcp_servers = agent.mcp_servers;
  if (!agent.mcp_servers.empty()) spec.definition = {.file = agent.file, .agent = agent.id, .has_key = false};
  spec.limits.turns = agent.max_turns.value_or(limits::kTurnsMax);
  spec.limits.tool_calls = limits::kToolCallsMax;
  spec.limits.timeout_ms = agent.timeout_ms.value_or(0);
  spec.limits.foreground_ms = agent.foreground_ms.value_or(limits::kForegroundMs);
  spec.limits.approval_ms = agent.approval_ms.value_or(0);
  spec.settings = agent.settings;
  spec.limits.model_call_ms = agent.brain.endpoint.timeout_ms.value_or(0);
  spec.limits.tasks = agent.tasks;
  spec.limits.context_tokens = agent.context.context_tokens;
  spec.limits.compact_tokens = agent.context.compact_tokens;
  spec.limits.keep_recent = agent.context.keep_recent;
  spec.limits.stop_retries = agent.context.stop_retries;
  spec.team = agent.team;
  spec.may_ask = agent.may_ask;
  spec.hooks = agent.hooks;
  spec.hook_tools = agent.hook_tools;
  spec.recovery = agent.recovery.value_or(run::Recovery::resume);
  spec.temperature = agent.brain.temperature;
  spec.top_p = agent.brain.top_p;
  spec.max_tokens = agent.brain.max_tokens;
  return spec;
}

}  // namespace app
