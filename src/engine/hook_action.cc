#include "engine/hook_action.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "run/hook_template.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr std::string_view kLoopHolders[] = {"gate",           "transform_params", "transform_result",
                                             "inject_message", "compact_context",  "module_action_inject"};
constexpr std::size_t kWordsBytesMax = 16 << 10;  // of one thing that a hook tells the model

std::string type_of(const json::object& action) { return base::text_or_empty(action, "type"); }

std::vector<const json::object*> parts_of(const json::object& action) {
  std::vector<const json::object*> parts;
  if (const auto* list = base::array_field(action, "actions"))
    for (const auto& one : *list)
      if (const auto* o = one.if_object()) parts.push_back(o);
  return parts;
}

// The tool that an action calls; "" for one that calls none.
std::string tool_of(const json::object& action) {
  const auto type = type_of(action);
  if (type == "pipe") return base::text_or_empty(action, "to");
  if (type == "shell") return "Bash";
  if (type != "module_action" && type != "module_action_inject") return {};
  const auto module = base::text_or_empty(action, "module");
  return module.empty() ? base::text_or_empty(action, "action") : module + "." + base::text_or_empty(action, "action");
}

json::object arguments_of(const json::object& action, const json::value& facts) {
  json::object out;
  if (type_of(action) == "shell") {
    out["command"] = run::render_command(base::text_or_empty(action, "command"), facts);
    for (const auto* key : {"cwd", "timeout"})
      if (const auto* value = action.if_contains(key)) out[key] = run::render_all(*value, facts);
    return out;
  }
  for (const auto* key : {"params", "action_params", "map", "extra"})
    if (const auto* given = base::object_field(action, key))
      for (const auto& [name, value] : *given) out[name] = run::render_all(value, facts);
  return out;
}

// A hook may call what its app file lets it call, and what the agent may call without asking; and nothing else by wrapping it.
std::vector<run::GrantedTool> granted_to_hooks(const run::Spec& spec) {
  std::vector<run::GrantedTool> granted;
  for (const auto& name : spec.hook_tools) granted.push_back({.name = name});
  for (const auto& tool : spec.tools)
    granted.push_back({.name = tool.name, .gate = tool.gate == run::Gate::allow ? run::Gate::allow : run::Gate::deny});
  return granted;
}

struct Called {
  std::string failure;  // "": it worked
  std::string text;
};

aio::Task<Called> call_tool(const json::object& action, HookFiring& firing) {
  const auto name = tool_of(action);
  const auto* tool = firing.tools->find(name);
  auto granted = granted_to_hooks(firing.spec);
  if (!tool || !run::find_grant(granted, tool->definition().name))
    co_return Called{"Tool '" + name + "' not found, or not allowed.", ""};
  const auto arguments = base::to_text(arguments_of(action, firing.facts));
  tool::Context context{.run_id = firing.run.run_id,
                        .call_id = firing.call_id,
                        .work_directory = firing.spec.work_directory,
                        .roots = firing.spec.roots,
                        .epoch = firing.run.epoch,
                        .goes_on = [handing_over = firing.handing_over] { return *handing_over; },
                        .session_id = firing.run.session_id,
                        .granted = std::move(granted),
                        .settings = firing.spec.settings,
                        .tasks = firing.deps.tasks,
                        .memory = firing.deps.memory,
                        .team_mail = firing.deps.team_mail,
                        .toolbox = firing.tools.get(),
                        .spec = &firing.spec};
  auto outcome = co_await firing.tools->call(tool->definition().name, arguments, std::move(context));
  co_return Called{outcome.is_error ? outcome.text : "", outcome.text};
}

void tell(HookFiring& firing, HookVerdict& verdict, std::string text, bool as_user = false) {
  if (text.size() > kWordsBytesMax) text = std::string(base::utf8_prefix(text, kWordsBytesMax)) + "…";
  verdict.words.push_back({firing.hook, std::move(text), as_user});
}

std::string gate(const json::object& action, HookFiring& firing, HookVerdict& verdict) {
  if (firing.on != run::HookEvent::tool_start) return "only a call that begins can be stopped";
  auto reason = run::render(base::text_or_empty(action, "reason"), firing.facts);
  verdict.blocked = "Blocked by hook '" + firing.hook + "'" + (reason.empty() ? "." : ": " + reason);
  return {};
}

std::string transform_params(const json::object& action, HookFiring& firing, HookVerdict& verdict) {
  if (firing.on != run::HookEvent::tool_start) return "only a call that begins has parameters to change";
  const auto* given = run::find_path(firing.facts, "tool.params");
  auto params = verdict.params ? *verdict.params : given && given->is_object() ? given->get_object() : json::object();
  const auto* change = base::object_field(action, "transformation");
  if (!change) return "'transformation' is missing";
  if (const auto* set = base::object_field(*change, "set"))
    for (const auto& [name, value] : *set) params[name] = run::render_all(value, firing.facts);
  if (const auto* remove = base::array_field(*change, "remove"))
    for (const auto& name : *remove)
      if (name.is_string()) params.erase(name.get_string());
  verdict.params = std::move(params);
  return {};
}

std::string transform_result(const json::object& action, HookFiring& firing, HookVerdict& verdict) {
  if (firing.on != run::HookEvent::tool_end) return "only a call that has ended has a result";
  const auto* change = base::object_field(action, "transformation");
  if (!change) return "'transformation' is missing";
  const auto more = run::render(base::text_or_empty(*change, "append_to_result"), firing.facts);
  if (!more.empty()) {
    auto text = verdict.result ? *verdict.result : run::text_of(run::find_path(firing.facts, "tool.text"));
    verdict.result = text + (text.ends_with('\n') || text.empty() ? "" : "\n") + more;
  }
  if (auto note = run::render(base::text_or_empty(*change, "inject_note"), firing.facts); !note.empty())
    tell(firing, verdict, std::move(note));
  return {};
}

std::string say(const json::object& action, HookFiring& firing, HookVerdict& verdict) {
  auto text = run::render(base::text_or_empty(action, "content"), firing.facts);
  if (text.empty()) return "there is nothing to say";
  tell(firing, verdict, std::move(text), base::text_or_empty(action, "role") == "user");
  return {};
}

std::string write_log(const json::object& action, HookFiring& firing, std::string_view key) {
  const auto text = run::render(base::text_or_empty(action, key), firing.facts);
  const auto level = base::text_or_empty(action, "level");
  const auto write = level == "error"                        ? base::log::error
                     : level == "warning" || level == "warn" ? base::log::warning
                                                             : base::log::info;
  write(text, {{"hook", firing.hook}, {"run", firing.run.run_id}});
  return {};
}

}  // namespace

bool holds_the_loop(const json::object& action) {
  if (type_of(action) == "chain")
    return std::ranges::any_of(parts_of(action), [](const json::object* part) { return holds_the_loop(*part); });
  return std::ranges::find(kLoopHolders, type_of(action)) != std::end(kLoopHolders);
}

bool at_most_once(const json::object& action, const tool::Toolbox& tools) {
  if (type_of(action) == "chain")
    return std::ranges::any_of(parts_of(action), [&](const json::object* part) { return at_most_once(*part, tools); });
  const auto* tool = tools.find(tool_of(action));
  return tool && tool->definition().side_effect == tool::SideEffect::at_most_once;
}

aio::Task<std::string> perform_action(const json::object& action, HookFiring& firing, HookVerdict& verdict) {
  const auto type = type_of(action);
  if (type == "gate") co_return gate(action, firing, verdict);
  if (type == "transform_params") co_return transform_params(action, firing, verdict);
  if (type == "transform_result") co_return transform_result(action, firing, verdict);
  if (type == "inject_message") co_return say(action, firing, verdict);
  if (type == "log") co_return write_log(action, firing, "message");
  if (type == "notify") co_return write_log(action, firing, "message");
  if (type == "compact_context") {
    verdict.compact = true;
    co_return "";
  }
  if (type == "chain") {
    const bool stop = base::bool_field(action, "stop_on_failure").value_or(false);
    const auto own = firing.call_id;
    std::string failures;
    std::size_t number = 0;
    for (const auto* part : parts_of(action)) {
      firing.call_id = own + "_" + std::to_string(number++);
      const auto failure = co_await perform_action(*part, firing, verdict);
      if (!failure.empty()) failures += (failures.empty() ? "" : "; ") + failure;
      if (!failure.empty() && stop) break;
    }
    firing.call_id = own;
    co_return failures;
  }
  if (tool_of(action).empty()) co_return "unknown action '" + type + "'";
  auto called = co_await call_tool(action, firing);
  if (called.failure.empty() && type == "module_action_inject") tell(firing, verdict, std::move(called.text));
  co_return called.failure;
}

}  // namespace engine
