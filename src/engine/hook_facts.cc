#include "engine/hook_facts.h"

#include "base/json.h"
#include "run/wrapped_call.h"
#include "tool/task_result.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr double kContextTokens = 128'000;  // where the definition does not say what its model holds

json::value value_of(const std::string& text) {
  auto value = base::parse_json(text);
  if (value && (value->is_object() || value->is_array())) return *std::move(value);
  return json::value(text);
}

// What a model wrote, and the documented names beside the synonyms that it used.
json::value params_of(const tool::Tool* tool, const run::ToolCall& call) {
  auto params = value_of(call.arguments.empty() ? "{}" : call.arguments);
  auto* object = params.if_object();
  if (!object || !tool || tool->definition().name != run::kBackgroundRun) return params;
  const auto inner = run::wrapped_launch(*object);
  if (inner && !inner->name.empty()) {
    (*object)["name"] = inner->name;
    (*object)["params"] = inner->arguments;
  }
  return params;
}

}  // namespace

json::object run_facts(run::HookEvent on, const store::Run& run, const run::Spec& spec, const run::AgentState& state,
                       std::size_t past, std::int64_t turns) {
  const auto room = spec.limits.context_tokens > 0 ? static_cast<double>(spec.limits.context_tokens) : kContextTokens;
  return {{"event", run::name(on)},
          {"run", json::object{{"id", run.run_id}, {"status", run::name(state.status)}}},
          {"session", json::object{{"id", run.session_id}}},
          {"agent", json::object{{"id", run.component_id}, {"name", run.component_name}}},
          {"user", json::object{{"id", run.user_id}}},
          {"turn", state.model_calls},
          {"turns", turns},
          {"max_turns", spec.limits.turns},
          {"tools", state.tool_calls},
          {"messages", past + state.messages.size()},
          {"tokens", state.usage.total()},
          {"pressure", static_cast<double>(state.context_tokens) / room},
          {"input", spec.input},
          {"output", state.content},
          {"content", on == run::HookEvent::turn_start ? spec.input : state.content}};
}

json::object call_facts(const tool::Tool* tool, const run::ToolCall& call) {
  json::array names{json::value(call.name)};
  json::object facts{{"call_id", call.id}, {"params", params_of(tool, call)}};
  if (!tool) {
    facts["name"] = facts["fqn"] = call.name;
  } else {
    const auto& d = tool->definition();
    const auto fqn = d.module.empty() ? d.name : d.module + "." + d.action;
    facts["name"] = d.name;
    facts["fqn"] = fqn;
    for (const auto& name : {d.name, fqn, d.module + "__" + d.action, d.action}) names.emplace_back(name);
    for (const auto& alias : d.aliases) names.emplace_back(alias);
  }
  facts["names"] = std::move(names);
  return facts;
}

void add_result(json::object& call, const std::string& result, bool is_error) {
  auto value = value_of(result);
  // A command that ended otherwise than by 0 has failed, though its answer is an ordinary one.
  const auto* object = value.if_object();
  const bool failed = is_error || (object && base::int_field(*object, "exit_code").value_or(0) != 0);
  call["failed"] = failed;
  call["error"] = failed ? json::value(object && object->contains("error") ? base::text_or_empty(*object, "error") : result)
                         : json::value("");
  call["result"] = std::move(value);
}

json::object task_facts(const tool::TaskView& task, std::int64_t now_ms) {
  auto facts = tool::summarize(task, now_ms);
  if (!task.result.empty()) facts["result"] = value_of(task.result);
  if (!task.cause.empty()) facts["cause"] = task.cause;
  return facts;
}

}  // namespace engine
