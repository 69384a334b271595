#include "app/app_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "app/agents.h"
#include "app/app_shape.h"
#include "app/definition.h"
#include "app/file.h"
#include "app/problems.h"
#include "app/team.h"
#include "app/templates.h"
#include "app/without_effect.h"
#include "app/yaml.h"
#include "base/text.h"

namespace app {

namespace {

constexpr std::size_t kAppIdBytesMax = 128;
constexpr std::int64_t kStopRetries = 2;

std::string text_of(const Node* map, std::string_view key) {
  const auto* node = map ? map->find(key) : nullptr;
  return node ? as_text(*node).value_or("") : "";
}

// Older files keep some sections elsewhere; they move to where newer ones have them.
struct Move {
  std::string_view from_section;  // "" for the document
  std::string_view key;
  std::string_view to_section;
};
constexpr Move kMoves[] = {
    {"", "modules", "tools"}, {"", "capabilities", "tools"}, {"execution", "hooks", "runtime"}, {"runtime", "flow", ""}};

Node* section(Node& root, std::string_view name) { return name.empty() ? &root : root.find(name); }

Node& section_or_new(Node& root, std::string_view name, Mark mark) {
  if (Node* found = section(root, name); found && found->is_map()) return *found;
  std::erase_if(root.members, [&](const Member& member) { return member.key == name; });
  Node made;
  made.kind = Node::Kind::map;
  made.mark = mark;
  root.members.push_back({std::string(name), mark, std::move(made)});
  return root.members.back().value;
}

void fold_older_places(Node& root, Problems& problems) {
  for (const auto& move : kMoves) {
    Node* from = section(root, move.from_section);
    if (!from || !from->find(move.key)) continue;
    if (const Node* to = section(root, move.to_section); to && !to->is_null() && !to->is_map())
      continue;  // reported by its shape
    const auto at = std::find_if(from->members.begin(), from->members.end(), [&](const Member& m) { return m.key == move.key; });
    Member moved = std::move(*at);
    from->members.erase(at);
    const auto old_path = child(move.from_section, move.key);
    const auto new_path = child(move.to_section, move.key);
    Node& to = section_or_new(root, move.to_section, moved.mark);
    if (to.find(move.key)) {
      problems.add(old_path, "is given as " + new_path + " too", moved.mark, Code::duplicate_key);
      continue;
    }
    std::erase_if(to.members, [&](const Member& m) { return m.key == move.key; });
    problems.warn(old_path, "has moved to " + new_path, moved.mark);
    to.members.push_back(std::move(moved));
  }
}

bool hex_color(std::string_view text) {
  if (!text.starts_with('#')) return false;
  text.remove_prefix(1);
  const bool length = text.size() == 3 || text.size() == 4 || text.size() == 6 || text.size() == 8;
  return length && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

void check_identity(const Node& root, Problems& problems) {
  if (const auto* version = root.find("schema_version"); version && as_int(*version) != 1 && as_int(*version) != 2)
    problems.add("schema_version", "must be 1 or 2", version->mark, Code::version);
  const auto* app = root.find("app");
  if (!app) return;
  if (const auto* color = app->find("color"); color && !color->text.empty() && !color->unresolved && !hex_color(color->text))
    problems.add("app.color", "must be a colour such as \"#8B5CF6\"", color->mark, Code::color);
  if (const auto* id = app->find("app_id")) {
    if (id->text.empty()) problems.add("app.app_id", "must not be empty", id->mark, Code::empty);
    if (id->text.size() > kAppIdBytesMax)
      problems.add("app.app_id", "is longer than " + std::to_string(kAppIdBytesMax) + " bytes", id->mark, Code::range);
  }
  if (const auto* name = app->find("short_name"); name && name->text.size() > 4 * 32)
    problems.add("app.short_name", "is longer than 32 characters", name->mark, Code::range);
}

// Absolute, or empty where none is given or its template has no value.
std::string work_directory(const Node* runtime, const std::string& base_directory, const llm::Environment& environment) {
  const auto* node = runtime ? runtime->find("workdir") : nullptr;
  if (!node || node->unresolved || node->text.empty()) return {};
  std::filesystem::path path(node->text);
  if (node->text == "~" || node->text.starts_with("~/")) {
    const auto home = environment ? environment("HOME") : std::nullopt;
    if (!home || home->empty()) return {};
    path = *home + node->text.substr(1);
  }
  if (path.is_relative()) path = std::filesystem::path(base_directory) / path;
  auto text = path.lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

// `runtime.background`.
run::TaskLimits task_limits(const Node& block) {
  run::TaskLimits limits;
  if (const auto* cap = block.find("cap")) limits.live = as_int(*cap).value_or(limits.live);
  if (const auto* count = block.find("keep_count")) limits.listed = as_int(*count).value_or(limits.listed);
  if (const auto* hours = block.find("keep_hours")) limits.listed_ms = std::llround(as_number(*hours).value_or(0) * 3'600'000);
  if (const auto* policy = block.find("on_end")) limits.on_end = run::parse_on_end(policy->text).value_or(limits.on_end);
  return limits;
}

// The whole path of a file; "" stays so.
std::string whole_path(const std::string& path) {
  std::error_code ec;
  const auto whole = path.empty() ? std::filesystem::path() : std::filesystem::absolute(path, ec);
  return ec ? path : whole.lexically_normal().string();
}

// The directory of a file; without one that of the process.
std::string directory_of(const std::string& path) {
  std::error_code ec;
  const auto directory = path.empty() ? std::filesystem::current_path(ec) : std::filesystem::absolute(path, ec).parent_path();
  return ec ? "/" : directory.string();
}

AgentDefaults agent_defaults(const Node* runtime, Problems& problems) {
  AgentDefaults defaults;
  defaults.context.stop_retries = kStopRetries;
  if (!runtime) return defaults;
  defaults.hooks = runtime->find("hooks");
  if (const auto* retries = runtime->find("max_stop_retries"))
    defaults.context.stop_retries = as_int(*retries).value_or(kStopRetries);
  if (const auto* context = runtime->find("context")) read_context(*context, "runtime.context", defaults.context, problems);
  if (const auto* background = runtime->find("background")) defaults.tasks = task_limits(*background);
  if (const auto* turns = runtime->find("max_turns")) defaults.max_turns = as_int(*turns);
  if (const auto* timeout = runtime->find("timeout"))
    if (const auto seconds = as_number(*timeout); seconds && *seconds > 0 && *seconds < 1e9)
      defaults.timeout_ms = static_cast<std::int64_t>(std::llround(*seconds * 1000));
  return defaults;
}

std::string entry_agent(const Node* runtime, const std::vector<Agent>& agents, Mark mark, Problems& problems) {
  const auto wanted = text_of(runtime, "entry_agent");
  if (agents.empty()) {
    problems.warn("agents", "there is no agent to run", mark, Code::no_entry_agent);
    return {};
  }
  if (wanted.empty()) return agents.front().id;
  std::vector<std::string_view> ids;
  for (const auto& agent : agents) ids.push_back(agent.id);
  if (std::find(ids.begin(), ids.end(), wanted) == ids.end())
    problems.add("runtime.entry_agent", "there is no agent '" + shown(wanted) + "'" + did_you_mean(wanted, ids),
                 runtime->find("entry_agent")->mark, Code::agent);
  return wanted;
}

}  // namespace

std::optional<App> read_app(std::string_view yaml, const std::string& path, const llm::Environment& environment,
                            Problems& problems) {
  auto root = parse_yaml(yaml, problems);
  if (!root) return std::nullopt;
  if (root->is_null()) problems.add("", "the file is empty", root->mark, Code::empty);
  if (root->is_scalar() || root->is_list())
    problems.add("", "an app file is a map of sections", root->mark, Code::unexpected_type);
  if (!root->is_map()) return std::nullopt;

  expand_templates(*root, environment, system_values(environment), problems,
                   [](std::string_view path) { return path.ends_with(".api_key") || path.contains(kMcpServersPath); });
  fold_older_places(*root, problems);
  check_shape(*root, kAppFileShape, "", problems);
  check_identity(*root, problems);

  App app;
  const auto* identity = root->find("app");
  app.app_id = text_of(identity, "app_id");
  app.name = text_of(identity, "name");
  app.version = text_of(identity, "version");
  if (app.version.empty()) app.version = "1.0";
  app.description = text_of(identity, "description");
  const auto* runtime = root->find("runtime");
  const auto* tools = root->find("tools");
  auto rules = read_tool_rules(tools ? tools->find("modules") : nullptr, tools ? tools->find("capabilities") : nullptr, problems);
  app.settings = rules.settings;
  app.agents = read_agents(root->find("agents"), rules, agent_defaults(runtime, problems), problems);
  for (auto& agent : app.agents) agent.file = whole_path(path);
  form_teams(app.agents, root->find("agents"), problems);
  app.entry_agent = entry_agent(runtime, app.agents, root->mark, problems);
  app.work_directory = work_directory(runtime, directory_of(path), environment);
  warn_without_effect(*root, problems);
  app.mcp_servers = std::move(rules.mcp.servers);
  if (!problems.empty()) return std::nullopt;
  app.warnings = problems.warning_texts();
  return app;
}

base::Result<App> parse_app(std::string_view yaml, std::string_view file_name, const llm::Environment& environment) {
  Problems problems{std::string(file_name)};
  auto app = read_app(yaml, "", environment, problems);
  if (!app) return std::unexpected(problems.error());
  return std::move(*app);
}

base::Result<App> load_app(const std::string& path, const llm::Environment& environment) {
  const auto file = read_text_file(path);
  if (!file) return std::unexpected(file.error());
  Problems problems{path};
  auto app = read_app(file->text, path, environment, problems);
  if (!app) return std::unexpected(problems.error());
  return std::move(*app);
}

}  // namespace app
