#include "run/spec.h"

#include "base/json.h"
#include "run/recovery.h"

namespace run {

namespace json = boost::json;

namespace {

base::Result<std::optional<Recovery>> decode_recovery(const json::object& o) {
  const auto word = base::string_field(o, "recovery");
  if (!word) return std::nullopt;
  const auto known = parse_recovery(*word);
  if (!known) return base::fail(base::Errc::invalid_argument, "unknown recovery policy '" + std::string(*word) + "'");
  return known;
}

base::Result<GrantedTool> decode_tool(const json::object& o) {
  auto recovery = decode_recovery(o);
  if (!recovery) return std::unexpected(recovery.error());
  return GrantedTool{.name = base::text_or_empty(o, "name"),
                     .gate = base::bool_field(o, "approve").value_or(false) ? Gate::approve : Gate::allow,
                     .recovery = *recovery};
}

}  // namespace

std::string encode(const Spec& spec) {
  json::object o;
  const auto text = [&o](std::string_view key, const std::string& value) {
    if (!value.empty()) o[key] = value;
  };
  const auto number = [&o](std::string_view key, std::int64_t value) {
    if (value) o[key] = value;
  };
  text("input", spec.input);
  if (spec.call) o["call"] = {{"id", spec.call->id}, {"name", spec.call->name}, {"arguments", spec.call->arguments}};
  if (!spec.notify_when.empty()) o["notify_when"] = json::array(spec.notify_when.begin(), spec.notify_when.end());
  text("provider", spec.provider);
  text("model", spec.model);
  text("effort", spec.effort);
  text("backend", spec.backend);
  text("base_url", spec.base_url);
  if (!spec.definition.file.empty()) o["definition"] = {{"file", spec.definition.file}, {"agent", spec.definition.agent}};
  text("system_prompt", spec.system_prompt);
  text("work_directory", spec.work_directory);
  if (!spec.tools.empty()) {
    json::array tools;
    for (const auto& tool : spec.tools) {
      json::object one{{"name", tool.name}};
      if (tool.gate == Gate::approve) one["approve"] = true;
      if (tool.recovery) one["recovery"] = name(*tool.recovery);
      tools.push_back(std::move(one));
    }
    o["tools"] = std::move(tools);
  }
  if (auto settings = encode(spec.settings); !settings.empty()) o["settings"] = std::move(settings);
  number("turns_max", spec.limits.turns);
  number("tool_calls_max", spec.limits.tool_calls);
  number("tokens_max", spec.limits.tokens);
  number("timeout_ms", spec.limits.timeout_ms);
  number("foreground_ms", spec.limits.foreground_ms);
  number("model_call_ms", spec.limits.model_call_ms);
  number("approval_ms", spec.limits.approval_ms);
  if (!spec.wakes) o["wakes"] = false;
  if (spec.recovery != Recovery::resume) o["recovery"] = name(spec.recovery);
  if (spec.temperature) o["temperature"] = *spec.temperature;
  if (spec.top_p) o["top_p"] = *spec.top_p;
  if (spec.max_tokens) o["max_tokens"] = *spec.max_tokens;
  return base::to_text(o);
}

base::Result<Spec> decode_spec(std::string_view text) {
  const auto value = base::parse_json(text);
  if (!value) return std::unexpected(value.error());
  const auto* o = value->if_object();
  if (!o) return base::fail(base::Errc::invalid_argument, "a run's spec is a JSON object");
  Spec spec;
  spec.input = base::text_or_empty(*o, "input");
  if (const auto* call = base::object_field(*o, "call"))
    spec.call = ToolCall{base::text_or_empty(*call, "id"), base::text_or_empty(*call, "name"), base::text_or_empty(*call, "arguments")};
  if (const auto* patterns = base::array_field(*o, "notify_when"))
    for (const auto& pattern : *patterns)
      if (pattern.is_string()) spec.notify_when.emplace_back(pattern.get_string());
  spec.provider = base::text_or_empty(*o, "provider");
  spec.model = base::text_or_empty(*o, "model");
  spec.effort = base::text_or_empty(*o, "effort");
  spec.backend = base::text_or_empty(*o, "backend");
  spec.base_url = base::text_or_empty(*o, "base_url");
  if (const auto* definition = base::object_field(*o, "definition"))
    spec.definition = {base::text_or_empty(*definition, "file"), base::text_or_empty(*definition, "agent")};
  spec.system_prompt = base::text_or_empty(*o, "system_prompt");
  spec.work_directory = base::text_or_empty(*o, "work_directory");
  if (const auto* tools = base::array_field(*o, "tools"))
    for (const auto& tool : *tools)
      if (const auto* one = tool.if_object()) {
        auto granted = decode_tool(*one);
        if (!granted) return std::unexpected(granted.error());
        spec.tools.push_back(*std::move(granted));
      }
  if (const auto* settings = base::object_field(*o, "settings")) spec.settings = decode_tool_settings(*settings);
  spec.limits = {.turns = base::int_or_zero(*o, "turns_max"),
                 .tool_calls = base::int_or_zero(*o, "tool_calls_max"),
                 .tokens = base::int_or_zero(*o, "tokens_max"),
                 .timeout_ms = base::int_or_zero(*o, "timeout_ms"),
                 .foreground_ms = base::int_or_zero(*o, "foreground_ms"),
                 .model_call_ms = base::int_or_zero(*o, "model_call_ms"),
                 .approval_ms = base::int_or_zero(*o, "approval_ms")};
  const auto recovery = decode_recovery(*o);
  if (!recovery) return std::unexpected(recovery.error());
  spec.recovery = recovery->value_or(Recovery::resume);
  spec.wakes = base::bool_field(*o, "wakes").value_or(true);
  spec.temperature = base::number_field(*o, "temperature");
  spec.top_p = base::number_field(*o, "top_p");
  spec.max_tokens = base::int_field(*o, "max_tokens");
  return spec;
}

}  // namespace run
