#include "run/wrapped_call.h"

#include "base/json.h"

namespace run {

namespace json = boost::json;

namespace {

std::string name_of(const json::object& o) {
  const auto* name = first_of(o, {"name", "tool", "tool_name", "action"});
  return name && name->is_string() ? std::string(name->get_string()) : std::string();
}

std::unexpected<base::Error> refuse(const std::string& name, const std::string& why) {
  return base::fail(base::Errc::invalid_argument,
                    "`params` for \"" + name + "\" is not valid JSON — " + why + ". Resend `params` as a JSON object.");
}

// An object, or its JSON text; a missing one is empty.
base::Result<json::object> arguments_of(const json::object& o, const std::string& name) {
  const auto* given = first_of(o, {"params", "args", "arguments", "input", "parameters"});
  if (!given || given->is_null()) return json::object();
  if (const auto* object = given->if_object()) return *object;
  if (given->is_string()) {
    const auto text = std::string_view(given->get_string());
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return json::object();
    auto parsed = base::parse_json(text);
    if (parsed && parsed->is_object()) return std::move(parsed->get_object());
    return refuse(name, parsed ? "it is no object" : parsed.error().message);
  }
  return refuse(name, "it is no object");
}

// Of `watch: true, command: …`.
const json::value* given_command(const json::object& o) {
  const auto* watch = o.if_contains("watch");
  const bool wanted = watch && (watch->is_bool() ? watch->get_bool() : watch->is_number() || watch->is_string() || watch->is_object());
  const auto* command = o.if_contains("command");
  return wanted && command && command->is_string() ? command : nullptr;
}

}  // namespace

const json::value* first_of(const json::object& o, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys)
    if (const auto* value = o.if_contains(key); value && !value->is_null()) return value;
  return nullptr;
}

base::Result<WrappedCall> wrapped_launch(const json::object& arguments) {
  WrappedCall call{.name = name_of(arguments), .arguments = {}};
  auto inner = arguments_of(arguments, call.name);
  if (!inner) return std::unexpected(inner.error());
  call.arguments = std::move(*inner);
  // A watch names its command where others name a tool.
  if (call.name.empty() && given_command(arguments)) {
    call.name = "Bash";
    call.arguments["command"] = *given_command(arguments);
  }
  // A task that starts another one would be two: the launch is this call.
  call.arguments.erase("run_in_background");
  return call;
}

base::Result<std::vector<WrappedCall>> wrapped_list(const json::object& arguments) {
  const auto* list = first_of(arguments, {"actions", "tasks", "calls", "tools", "invocations", "steps", "items"});
  json::value parsed;
  if (list && list->is_string()) {
    auto value = base::parse_json(list->get_string());
    if (!value) return base::fail(base::Errc::invalid_argument, "`actions` is not valid JSON — " + value.error().message);
    parsed = std::move(*value);
    list = &parsed;
  }
  if (!list || !list->is_array())
    return base::fail(base::Errc::invalid_argument, "'actions' is required: a list of {name, params}");
  std::vector<WrappedCall> calls;
  for (const auto& item : list->get_array()) {
    const auto* object = item.if_object();
    if (!object) return base::fail(base::Errc::invalid_argument, "each action is an object {name, params}");
    auto call = wrapped_launch(*object);
    if (!call) return std::unexpected(call.error());
    calls.push_back(std::move(*call));
  }
  return calls;
}

std::vector<WrappedCall> wrapped_calls(std::string_view granted_name, std::string_view arguments) {
  if (granted_name != kBackgroundRun && granted_name != kRunParallel) return {};
  auto value = base::parse_json(arguments);
  // The object once more as text, as the tools take it too: an approval must see what they will.
  if (value && value->is_string()) value = base::parse_json(std::string(value->get_string()));
  const auto* object = value ? value->if_object() : nullptr;
  if (!object) return {};
  if (granted_name == kRunParallel) {
    auto list = wrapped_list(*object);
    return list ? *std::move(list) : std::vector<WrappedCall>{};
  }
  auto launch = wrapped_launch(*object);
  if (!launch || launch->name.empty()) return {};
  return {*std::move(launch)};
}

}  // namespace run
