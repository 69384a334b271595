#include "run/spec.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
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
  auto gate = base::bool_field(o, "approve").value_or(false) ? Gate::approve : Gate::allow;
  if (base::bool_field(o, "deny").value_or(false)) gate = Gate::deny;
  return GrantedTool{.name = base::text_or_empty(o, "name"), .gate = gate, .recovery = *recovery};
}

void read_texts(const json::object& o, std::string_view key, std::vector<std::string>& out) {
  if (const auto* list = base::array_field(o, key))
    for (const auto& item : *list)
      if (item.is_string()) out.emplace_back(item.get_string());
}

constexpr std::array<std::string_view, 3> kOnEnd = {"cancel", "detach", "adopt"};

json::object encode_tasks(const TaskLimits& tasks) {
  json::object o{{"live_max", tasks.live}, {"listed_max", tasks.listed}, {"listed_ms", tasks.listed_ms}};
  if (tasks.on_end != OnEnd::cancel) o["on_end"] = name(tasks.on_end);
  return o;
}

TaskLimits decode_tasks(const json::object& o) {
  return {.live = base::int_or_zero(o, "live_max"),
          .listed = base::int_or_zero(o, "listed_max"),
          .listed_ms = base::int_or_zero(o, "listed_ms"),
          .on_end = parse_on_end(base::text_or_empty(o, "on_end")).value_or(OnEnd::cancel)};
}

}  // namespace

std::string_view name(OnEnd policy) { return kOnEnd[static_cast<std::size_t>(policy)]; }

std::optional<OnEnd> parse_on_end(std::string_view name) {
  const auto* found = std::ranges::find(kOnEnd, name);
  if (found == kOnEnd.end()) return std::nullopt;
  return static_cast<OnEnd>(found - kOnEnd.begin());
}

const GrantedTool* find_grant(const std::vector<GrantedTool>& tools, std::string_view name) {
  if (name.empty()) return nullptr;
  const auto wanted = base::to_lower(name);
  auto found = std::ranges::find_if(tools, [&](const GrantedTool& tool) { return base::to_lower(tool.name) == wanted; });
  if (found == tools.end())
    found = std::ranges::find_if(tools, [&](const GrantedTool& tool) {
      return tool.name.ends_with('*') && wanted.starts_with(base::to_lower(tool.name.substr(0, tool.name.size() - 1)));
    });
  return found == tools.end() || found->gate == Gate::deny ? nullptr : &*found;
}

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
  if (spec.flow) o["flow"] = to_json(*spec.flow);
  if (spec.harness) o["harness"] = to_json(*spec.harness);
  if (!spec.notify_when.empty()) o["notify_when"] = json::array(spec.notify_when.begin(), spec.notify_when.end());
  if (!spec.after.tasks.empty()) o["after"] = {{"tasks", json::array(spec.after.tasks.begin(), spec.after.tasks.end())}, {"however", spec.after.however}};
  if (spec.watch) o["watch"] = {{"interval_ms", spec.watch->interval_ms}, {"until", spec.watch->until}, {"checks_max", spec.watch->checks_max}};
  text("provider", spec.provider);
  text("model", spec.model);
  text("effort", spec.effort);
  text("backend", spec.backend);
  text("base_url", spec.base_url);
  if (!spec.definition.file.empty()) {
    json::object definition{{"file", spec.definition.file}, {"agent", spec.definition.agent}};
    if (!spec.definition.has_key) definition["has_key"] = false;
    o["definition"] = std::move(definition);
  }
  text("system_prompt", spec.system_prompt);
  text("work_directory", spec.work_directory);
  if (!spec.roots.empty()) o["roots"] = json::array(spec.roots.begin(), spec.roots.end());
  if (!spec.tools.empty()) {
    json::array tools;
    for (const auto& tool : spec.tools) {
      json::object one{{"name", tool.name}};
      if (tool.gate == Gate::approve) one["approve"] = true;
      if (tool.gate == Gate::deny) one["deny"] = true;
      if (tool.recovery) one["recovery"] = name(*tool.recovery);
      tools.push_back(std::move(one));
    }
    o["tools"] = std::move(tools);
  }
  if (!spec.mcp_servers.empty()) o["mcp_servers"] = json::array(spec.mcp_servers.begin(), spec.mcp_servers.end());
  if (!spec.team.empty()) {
    json::array team;
    for (const auto& member : spec.team)
      team.push_back(json::object{{"id", member.id},
                                  {"description", member.description},
                                  {"spec", member.spec},
                                  {"may_ask", json::array(member.may_ask.begin(), member.may_ask.end())}});
    o["team"] = std::move(team);
  }
  if (!spec.may_ask.empty()) o["may_ask"] = json::array(spec.may_ask.begin(), spec.may_ask.end());
  if (spec.seat) o["seat"] = {{"team", spec.seat->team}, {"member", spec.seat->member}};
  number("depth", spec.depth);
  if (!spec.hooks.empty()) {
    json::array hooks;
    for (const auto& hook : spec.hooks) hooks.push_back(to_json(hook));
    o["hooks"] = std::move(hooks);
  }
  if (!spec.hook_tools.empty()) o["hook_tools"] = json::array(spec.hook_tools.begin(), spec.hook_tools.end());
  if (auto settings = encode(spec.settings); !settings.empty()) o["settings"] = std::move(settings);
  number("turns_max", spec.limits.turns);
  number("tool_calls_max", spec.limits.tool_calls);
  number("tokens_max", spec.limits.tokens);
  number("cost_micros_max", spec.limits.cost_micros);
  number("timeout_ms", spec.limits.timeout_ms);
  number("foreground_ms", spec.limits.foreground_ms);
  number("model_call_ms", spec.limits.model_call_ms);
  number("context_tokens", spec.limits.context_tokens);
  number("compact_tokens", spec.limits.compact_tokens);
  number("keep_recent", spec.limits.keep_recent);
  number("stop_retries", spec.limits.stop_retries);
  if (spec.limits.tasks != TaskLimits()) o["tasks"] = encode_tasks(spec.limits.tasks);
  if (spec.foreground) o["foreground"] = true;
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
    spec.call =
        ToolCall{base::text_or_empty(*call, "id"), base::text_or_empty(*call, "name"), base::text_or_empty(*call, "arguments")};
  if (const auto* flow = base::object_field(*o, "flow")) spec.flow = flow_spec_of(*flow);
  if (const auto* harness = base::object_field(*o, "harness")) spec.harness = read_harness_spec(*harness);
  read_texts(*o, "notify_when", spec.notify_when);
  read_texts(*o, "mcp_servers", spec.mcp_servers);
  read_texts(*o, "hook_tools", spec.hook_tools);
  read_texts(*o, "may_ask", spec.may_ask);
  if (const auto* seat = base::object_field(*o, "seat"))
    spec.seat = TeamSeat{base::text_or_empty(*seat, "team"), base::text_or_empty(*seat, "member")};
  spec.depth = static_cast<int>(base::int_or_zero(*o, "depth"));
  if (const auto* team = base::array_field(*o, "team"))
    for (const auto& item : *team)
      if (const auto* one = item.if_object()) {
        TeamMember member{base::text_or_empty(*one, "id"), base::text_or_empty(*one, "description"), base::text_or_empty(*one, "spec"), {}};
        read_texts(*one, "may_ask", member.may_ask);
        spec.team.push_back(std::move(member));
      }
  if (const auto* hooks = base::array_field(*o, "hooks"))
    for (const auto& item : *hooks)
      if (const auto* one = item.if_object())
        if (auto hook = hook_of(*one)) spec.hooks.push_back(*std::move(hook));
  if (const auto* after = base::object_field(*o, "after")) {
    read_texts(*after, "tasks", spec.after.tasks);
    spec.after.however = base::bool_field(*after, "however").value_or(false);
  }
  if (const auto* watch = base::object_field(*o, "watch"))
    spec.watch = Watch{base::int_or_zero(*watch, "interval_ms"), base::text_or_empty(*watch, "until"), base::int_or_zero(*watch, "checks_max")};
  spec.provider = base::text_or_empty(*o, "provider");
  spec.model = base::text_or_empty(*o, "model");
  spec.effort = base::text_or_empty(*o, "effort");
  spec.backend = base::text_or_empty(*o, "backend");
  spec.base_url = base::text_or_empty(*o, "base_url");
  if (const auto* definition = base::object_field(*o, "definition"))
    spec.definition = {.file = base::text_or_empty(*definition, "file"),
                       .agent = base::text_or_empty(*definition, "agent"),
                       .has_key = base::bool_field(*definition, "has_key").value_or(true)};
  spec.system_prompt = base::text_or_empty(*o, "system_prompt");
  spec.work_directory = base::text_or_empty(*o, "work_directory");
  read_texts(*o, "roots", spec.roots);
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
                 .cost_micros = base::int_or_zero(*o, "cost_micros_max"),
                 .timeout_ms = base::int_or_zero(*o, "timeout_ms"),
                 .foreground_ms = base::int_or_zero(*o, "foreground_ms"),
                 .model_call_ms = base::int_or_zero(*o, "model_call_ms"),
                 .context_tokens = base::int_or_zero(*o, "context_tokens"),
                 .compact_tokens = base::int_or_zero(*o, "compact_tokens"),
                 .keep_recent = base::int_or_zero(*o, "keep_recent"),
                 .stop_retries = base::int_or_zero(*o, "stop_retries"),
                 .approval_ms = base::int_or_zero(*o, "approval_ms")};
  if (const auto* tasks = base::object_field(*o, "tasks")) spec.limits.tasks = decode_tasks(*tasks);
  const auto recovery = decode_recovery(*o);
  if (!recovery) return std::unexpected(recovery.error());
  spec.recovery = recovery->value_or(Recovery::resume);
  spec.foreground = base::bool_field(*o, "foreground").value_or(false);
  spec.wakes = base::bool_field(*o, "wakes").value_or(true);
  spec.temperature = base::number_field(*o, "temperature");
  spec.top_p = base::number_field(*o, "top_p");
  spec.max_tokens = base::int_field(*o, "max_tokens");
  return spec;
}

}  // namespace run
