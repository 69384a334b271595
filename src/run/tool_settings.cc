#include "run/tool_settings.h"

#include "base/json.h"

namespace run {

namespace json = boost::json;

namespace {

void put(json::object& o, std::string_view key, const std::vector<std::string>& list) {
  if (!list.empty()) o[key] = json::array(list.begin(), list.end());
}

void put(json::object& o, std::string_view key, std::int64_t number) {
  if (number) o[key] = number;
}

std::vector<std::string> texts(const json::object& o, std::string_view key) {
  std::vector<std::string> list;
  if (const auto* array = base::array_field(o, key))
    for (const auto& item : *array)
      if (item.is_string()) list.emplace_back(item.get_string());
  return list;
}

json::object encode(const ShellSettings& shell) {
  json::object o;
  if (!shell.program.empty()) o["program"] = shell.program;
  put(o, "timeout_ms", shell.timeout_ms);
  put(o, "lines_max", shell.lines_max);
  put(o, "sensitive_patterns", shell.sensitive_patterns);
  put(o, "allowed_roots", shell.allowed_roots);
  put(o, "allowed_paths", shell.allowed_paths);
  put(o, "allowed_commands", shell.allowed_commands);
  put(o, "blocked_commands", shell.blocked_commands);
  if (shell.read_only) o["read_only"] = true;
  return o;
}

ShellSettings decode_shell(const json::object& o) {
  return {.program = base::text_or_empty(o, "program"),
          .timeout_ms = base::int_or_zero(o, "timeout_ms"),
          .lines_max = base::int_or_zero(o, "lines_max"),
          .sensitive_patterns = texts(o, "sensitive_patterns"),
          .allowed_roots = texts(o, "allowed_roots"),
          .allowed_paths = texts(o, "allowed_paths"),
          .allowed_commands = texts(o, "allowed_commands"),
          .blocked_commands = texts(o, "blocked_commands"),
          .read_only = base::bool_field(o, "read_only").value_or(false)};
}

}  // namespace

json::object encode(const ToolSettings& settings) {
  json::object o;
  if (auto shell = encode(settings.shell); !shell.empty()) o["shell"] = std::move(shell);
  put(o, "file_paths", settings.file_paths);
  json::array limits;
  for (const auto& limit : settings.rate_limits) {
    json::object one{{"module", limit.module}, {"calls_max", limit.calls_max}, {"per_ms", limit.per_ms}};
    put(one, "actions", limit.actions);
    limits.push_back(std::move(one));
  }
  if (!limits.empty()) o["rate_limits"] = std::move(limits);
  return o;
}

ToolSettings decode_tool_settings(const json::object& object) {
  ToolSettings settings;
  if (const auto* shell = base::object_field(object, "shell")) settings.shell = decode_shell(*shell);
  settings.file_paths = texts(object, "file_paths");
  if (const auto* limits = base::array_field(object, "rate_limits"))
    for (const auto& item : *limits)
      if (const auto* one = item.if_object())
        settings.rate_limits.push_back({.module = base::text_or_empty(*one, "module"),
                                        .actions = texts(*one, "actions"),
                                        .calls_max = base::int_or_zero(*one, "calls_max"),
                                        .per_ms = base::int_or_zero(*one, "per_ms")});
  return settings;
}

}  // namespace run
