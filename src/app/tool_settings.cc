#include "app/tool_settings.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "app/shape.h"
#include "tool/command_policy.h"
#include "tool/redaction.h"

namespace app {

namespace {

constexpr const char* kConfigPath = "tools.modules.shell.config";
constexpr const char* kConstraintsPath = "tools.modules.shell.constraints";
constexpr std::size_t kEntriesMax = 200;  // of one list
constexpr std::size_t kPathBytesMax = 4'095;
constexpr double kOutputLinesMax = 1'000'000;

constexpr Shape kTexts = or_also(texts(), kText);
// Other keys are a module's own.
constexpr Field kConfig[] = {{"shell", text()},
                             {"timeout_default", number(1, 1'800)},
                             {"max_output_lines", integer(1, kOutputLinesMax)},
                             {"extra_sensitive_patterns", kTexts},
                             {"allowed_roots", kTexts},
                             {"blocked_commands", kTexts}};
constexpr Field kConstraints[] = {{"readonly", boolean()},
                                  {"allowed_commands", kTexts},
                                  {"blocked_commands", kTexts},
                                  {"allowed_paths", kTexts},
                                  {"unrestricted", boolean()}};

template <std::size_t N>
void check_fields(const Node* map, const Field (&fields)[N], const std::string& path, Problems& problems) {
  if (!map) return;
  for (const auto& field : fields)
    if (const auto* node = map->find(field.name)) check_shape(*node, field.shape, child(path, field.name), problems);
}

// One entry's problem; nothing: it is fine.
using CheckEntry = std::function<base::Result<>(const std::string&)>;

// The entries of a list of restrictions. One without a value must not pass for one that holds.
std::vector<std::string> read_list(const Node* map, std::string_view key, const std::string& map_path, const CheckEntry& check,
                                   Problems& problems) {
  const auto* node = map ? map->find(key) : nullptr;
  if (!node) return {};
  const auto path = child(map_path, key);
  std::vector<const Node*> items;
  if (node->is_scalar()) items.push_back(node);
  for (const auto& item : node->items) items.push_back(&item);
  if (items.size() > kEntriesMax)
    problems.add(path, "has more than " + std::to_string(kEntriesMax) + " entries", node->mark, Code::range);
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto at = node->is_scalar() ? path : child(path, i);
    const auto entry = as_text(*items[i]);
    if (items[i]->unresolved)
      problems.add(at, "has no value here, and would restrict nothing", items[i]->mark, Code::environment);
    else if (!entry || entry->empty())
      problems.add(at, "is empty", items[i]->mark, Code::empty);
    else if (const auto fine = check(*entry); !fine)
      problems.add(at, fine.error().message, items[i]->mark, Code::format);
    else
      entries.push_back(*entry);
  }
  return entries;
}

// Where nothing is allowed, nothing was meant: whoever wants no tool does not grant it.
std::vector<std::string> read_allowed(const Node* map, std::string_view key, const std::string& map_path, const CheckEntry& check,
                                      Problems& problems) {
  const auto* node = map ? map->find(key) : nullptr;
  if (node && node->is_list() && node->items.empty())
    problems.add(child(map_path, key), "is empty: leave it out where everything is allowed", node->mark, Code::empty);
  return read_list(map, key, map_path, check, problems);
}

base::Result<> check_path(const std::string& path) {
  const auto refuse = [](const char* why) { return base::fail(base::Errc::invalid_argument, why); };
  if (path.size() > kPathBytesMax || path.find('\0') != std::string::npos) return refuse("is no path");
  if (path.starts_with('~')) return refuse("must be absolute, or relative to the work directory; your home is {{sys.home}}");
  return {};
}

std::string program_of(const Node* config, Problems& problems) {
  const auto* node = config ? config->find("shell") : nullptr;
  const auto program = node && !node->unresolved ? as_text(*node).value_or("") : "";
  if (node && (program.find_first_of(" \t\n") != std::string::npos || program.size() > kPathBytesMax ||
               (program.empty() && !node->unresolved)))
    problems.add(child(kConfigPath, "shell"), "must be the path of a shell, without arguments", node->mark, Code::format);
  return program;
}

std::int64_t milliseconds(const Node* config, std::string_view key) {
  const auto* node = config ? config->find(key) : nullptr;
  return node ? static_cast<std::int64_t>(std::llround(as_number(*node).value_or(0) * 1'000)) : 0;
}

bool is_set(const Node* constraints, std::string_view key) {
  const auto* node = constraints ? constraints->find(key) : nullptr;
  return node && as_bool(*node) == true;
}

}  // namespace

run::ShellSettings read_shell(const Node* config, const Node* constraints, Problems& problems) {
  check_fields(config, kConfig, kConfigPath, problems);
  check_fields(constraints, kConstraints, kConstraintsPath, problems);
  run::ShellSettings shell;
  shell.program = program_of(config, problems);
  shell.timeout_ms = milliseconds(config, "timeout_default");
  if (const auto* lines = config ? config->find("max_output_lines") : nullptr) shell.lines_max = as_int(*lines).value_or(0);
  shell.sensitive_patterns = read_list(config, "extra_sensitive_patterns", kConfigPath, tool::check_sensitive_pattern, problems);
  shell.allowed_roots = read_allowed(config, "allowed_roots", kConfigPath, check_path, problems);
  shell.allowed_paths = read_allowed(constraints, "allowed_paths", kConstraintsPath, check_path, problems);
  shell.allowed_commands = read_allowed(constraints, "allowed_commands", kConstraintsPath, tool::check_allowed_command, problems);
  shell.blocked_commands = read_list(config, "blocked_commands", kConfigPath, tool::check_blocked_command, problems);
  for (auto& more : read_list(constraints, "blocked_commands", kConstraintsPath, tool::check_blocked_command, problems))
    shell.blocked_commands.push_back(std::move(more));
  shell.read_only = is_set(constraints, "readonly");
  const bool strict = !shell.allowed_paths.empty() || !shell.allowed_commands.empty() || shell.read_only;
  if (strict && !tool::understands_shell(shell.program))
    problems.add(child(kConfigPath, "shell"),
                 "must be sh, bash or dash where commands or paths are restricted: others are not understood",
                 config->find("shell")->mark, Code::choice);
  const bool restricted = strict || !shell.blocked_commands.empty() || !shell.allowed_roots.empty();
  if (restricted && is_set(constraints, "unrestricted"))
    problems.warn(child(kConstraintsPath, "unrestricted"), "does not lift the other restrictions of the shell",
                  constraints->find("unrestricted")->mark);
  return shell;
}

std::optional<std::int64_t> read_foreground_limit(const Node* config, Problems& problems) {
  const auto* limit = config ? config->find("foreground_limit") : nullptr;
  if (!limit) return std::nullopt;
  const auto seconds = as_number(*limit);
  if (seconds && *seconds > 0 && *seconds < 1e6) return static_cast<std::int64_t>(*seconds * 1000);
  problems.add(child(kConfigPath, "foreground_limit"), "must be a number of seconds above 0", limit->mark, Code::range);
  return std::nullopt;
}

std::vector<std::string> read_file_paths(const Node* constraints, Problems& problems) {
  constexpr const char* kPath = "tools.modules.filesystem.constraints";
  if (const auto* node = constraints ? constraints->find("allowed_paths") : nullptr)
    check_shape(*node, kTexts, child(kPath, "allowed_paths"), problems);
  return read_allowed(constraints, "allowed_paths", kPath, check_path, problems);
}

}  // namespace app
