#include "app/hooks.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>
#include <map>
#include <set>

#include "base/json.h"
#include "run/expression.h"
#include "run/hook_condition.h"

namespace app {

namespace json = boost::json;

namespace {

constexpr std::size_t kHooksMax = 200;
constexpr int kChainDepthMax = 8;
constexpr std::size_t kHookBytesMax = 64 << 10;  // of one hook: it is kept with each run

const std::vector<std::string_view> kActions = {"pipe",   "module_action",  "module_action_inject", "inject_message",   "log",
                                                "shell",  "gate",           "transform_params",     "transform_result", "chain",
                                                "notify", "compact_context"};

json::value json_of(const Node& node) {
  if (node.is_null()) return nullptr;
  if (node.is_list()) {
    json::array list;
    for (const auto& item : node.items) list.push_back(json_of(item));
    return list;
  }
  if (node.is_map()) {
    json::object map;
    for (const auto& member : node.members) map[member.key] = json_of(member.value);
    return map;
  }
  if (!node.quoted) {
    if (node.text == "true" || node.text == "false") return node.text == "true";
    if (const auto number = as_int(node)) return *number;
    if (const auto number = as_number(node)) return *number;
  }
  return json::value(node.text);
}

// "always" and {type: always} are the same.
json::object typed(const Node& node) {
  if (node.is_scalar()) return {{"type", node.text}};
  auto value = json_of(node);
  return value.is_object() ? std::move(value.get_object()) : json::object();
}

class HookReader {
 public:
  HookReader(const ToolRules& rules, Problems& problems) : rules_(rules), problems_(problems) {}

  HookEntry read(const Node& node, const std::string& path) {
    tools_.clear();
    path_ = path;
    HookEntry entry;
    if (!check_secrets(node, path)) return entry;  // nothing of it may be quoted
    auto& hook = entry.hook;
    hook.id = text_at(node, "id");
    hook.on = event_of(node);
    if (const auto* condition = node.find("condition")) {
      check_condition(*condition, child(path, "condition"), 0);
      hook.condition = typed(*condition);
    }
    if (const auto* action = node.find("action")) {
      check_action(*action, child(path, "action"), hook.on, 0);
      hook.action = typed(*action);
    }
    hook.cooldown_ms = milliseconds(node, "cooldown", 0);
    hook.timeout_ms = milliseconds(node, "timeout", 30'000);
    if (const auto* fires = node.find("max_fires")) hook.max_fires = as_int(*fires).value_or(0);
    if (const auto* priority = node.find("priority")) entry.priority = as_int(*priority).value_or(100);
    if (base::to_text(run::to_json(hook)).size() > kHookBytesMax)
      problems_.add(path, "is longer than " + std::to_string(kHookBytesMax >> 10) + " KiB", node.mark, Code::range);
    entry.tools.assign(tools_.begin(), tools_.end());
    return entry;
  }

 private:
  static std::string text_at(const Node& node, std::string_view key) {
    const auto* found = node.find(key);
    return found ? as_text(*found).value_or("") : "";
  }

  static std::int64_t milliseconds(const Node& node, std::string_view key, std::int64_t otherwise) {
    const auto* found = node.find(key);
    const auto seconds = found ? as_number(*found) : std::nullopt;
    return seconds && *seconds >= 0 && *seconds < 1e9 ? static_cast<std::int64_t>(std::llround(*seconds * 1000)) : otherwise;
  }

  run::HookEvent event_of(const Node& node) {
    for (const auto* key : {"on", "true", "event"}) {
      const auto* found = node.find(key);
      if (!found) continue;
      if (const auto event = run::parse_hook_event(found->text)) return *event;
      problems_.add(child(path_, key),
                    "unknown event '" + shown(found->text) + "'" + did_you_mean(found->text, run::hook_event_names()),
                    found->mark, Code::hook_event);
    }
    return run::HookEvent::turn_end;
  }

  // The type of a condition or action; "" where it was told to be wrong.
  std::string type_of(const Node& node, const std::string& path, const std::vector<std::string_view>& known,
                      std::string_view what, Code code) {
    const auto type = node.is_scalar() ? node.text : text_at(node, "type");
    if (type.empty()) {
      problems_.add(child(path, "type"), "is required", node.mark, Code::missing);
      return {};
    }
    if (std::ranges::find(known, type) != known.end()) return type;
    problems_.add(path, "unknown " + std::string(what) + " '" + shown(type) + "'" + did_you_mean(type, known), node.mark, code);
    return {};
  }

  void require(const Node& node, const std::string& path, std::string_view key) {
    if (!node.find(key)) problems_.add(child(path, key), "is required", node.mark, Code::missing);
  }

  void check_condition(const Node& node, const std::string& path, int depth) {
    if (depth > run::kConditionDepthMax) {
      problems_.add(path, "is nested too deeply", node.mark, Code::hook_condition);
      return;
    }
    const auto type = type_of(node, path, run::condition_types(), "condition", Code::hook_condition);
    if (type == "tool_name" || type == "error_type") require(node, path, "match");
    if (type == "content_contains" && !node.find("keywords")) require(node, path, "keyword");
    if (type == "expression") {
      require(node, path, "expr");
      const auto wrong = run::evaluate(text_at(node, "expr"), json::object());
      if (node.find("expr") && !wrong)
        problems_.add(child(path, "expr"), wrong.error().message, node.find("expr")->mark, Code::hook_condition);
    }
    if (type == "not") {
      require(node, path, "condition");
      if (const auto* inner = node.find("condition")) check_condition(*inner, child(path, "condition"), depth + 1);
    }
    if (type != "all_of" && type != "any_of") return;
    require(node, path, "conditions");
    if (const auto* list = node.find("conditions"))
      for (std::size_t i = 0; i < list->items.size(); ++i)
        check_condition(list->items[i], child(child(path, "conditions"), i), depth + 1);
  }

  void check_action(const Node& node, const std::string& path, run::HookEvent on, int depth) {
    const auto type = type_of(node, path, kActions, "action", Code::hook_action);
    if (type == "pipe") {
      require(node, path, "to");
      note_tool(text_at(node, "to"), path, node.mark);
    }
    if (type == "module_action" || type == "module_action_inject") {
      require(node, path, "action");
      const auto module = text_at(node, "module");
      note_tool((module.empty() ? "" : module + ".") + text_at(node, "action"), path, node.mark);
    }
    if (type == "shell") {
      require(node, path, "command");
      note_tool("shell.bash", path, node.mark);
    }
    if (type == "inject_message") require(node, path, "content");
    if (type == "log" || type == "notify") require(node, path, "message");
    const bool starts = on == run::HookEvent::tool_start, ends = on == run::HookEvent::tool_end;
    if (((type == "gate" || type == "transform_params") && !starts) || (type == "transform_result" && !ends))
      problems_.add(path, "'" + type + "' belongs to " + (type == "transform_result" ? "tool_end" : "tool_start"), node.mark,
                    Code::hook_action);
    if (type.starts_with("transform_")) require(node, path, "transformation");
    if (type != "chain") return;
    require(node, path, "actions");
    if (depth >= kChainDepthMax) {
      problems_.add(path, "is nested too deeply", node.mark, Code::hook_action);
      return;
    }
    if (const auto* list = node.find("actions"))
      for (std::size_t i = 0; i < list->items.size(); ++i)
        check_action(list->items[i], child(child(path, "actions"), i), on, depth + 1);
  }

  // A hook is the app's, so it may call what the agent was not given; but not what the app's rules withhold.
  void note_tool(const std::string& name, const std::string& path, Mark mark) {
    if (name.empty()) return;
    const auto module = name.substr(0, name.find('.'));
    const auto* tool = find_tool(name);
    if (tool && tool->exists == Exists::now) {
      // What a module that the app does not name could do harm with stays out of reach.
      const bool named = rules_.modules.contains(tool->module) || system_module(tool->module) || tool->risk == Risk::low;
      if (named && decided_by(*tool, rules_) == Gate::allow)
        tools_.insert(std::string(tool->name));
      else
        problems_.warn(path, "calls " + shown(name) + ", which is not granted: it will be refused", mark);
    } else if (module.starts_with("mcp_")) {
      return;  // what its server has is not known yet; the agent's grants decide
    } else if (name.contains('.') && known_module(module) && !complete_module(module)) {
      problems_.warn(path, "calls " + shown(name) + ", which is not available yet", mark);
    } else {
      std::vector<std::string> names;
      for (const auto& known : known_tools()) names.push_back(std::string(known.module) + "." + std::string(known.action));
      const std::vector<std::string_view> views(names.begin(), names.end());
      problems_.add(path, "calls an unknown tool '" + shown(name) + "'" + did_you_mean(name, views), mark, Code::tool);
    }
  }

  bool check_secrets(const Node& node, const std::string& path) {
    if (node.from_environment)
      problems_.add(path, "must not hold a value of the environment: hooks are kept with each run", node.mark, Code::hook_action);
    bool clean = !node.from_environment;
    for (std::size_t i = 0; i < node.items.size(); ++i) clean &= check_secrets(node.items[i], child(path, i));
    for (const auto& member : node.members) clean &= check_secrets(member.value, child(path, member.key));
    return clean;
  }

  const ToolRules& rules_;
  Problems& problems_;
  std::string path_;
  std::set<std::string> tools_;
};

}  // namespace

std::vector<HookEntry> read_hooks(const Node* list, const std::string& path, const ToolRules& rules, Problems& problems) {
  std::vector<HookEntry> hooks;
  if (!list) return hooks;
  if (list->items.size() > kHooksMax) {
    problems.add(path, "more than " + std::to_string(kHooksMax) + " hooks", list->mark, Code::range);
    return hooks;
  }
  std::set<std::string> ids;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const auto& node = list->items[i];
    if (!node.is_map()) continue;  // told by its shape
    auto entry = HookReader(rules, problems).read(node, child(path, i));
    if (!entry.hook.id.empty() && !ids.insert(entry.hook.id).second)
      problems.add(child(child(path, i), "id"), "the id '" + shown(entry.hook.id) + "' is taken by an earlier hook", node.mark,
                   Code::duplicate_id);
    const auto* enabled = node.find("enabled");
    if (!enabled || as_bool(*enabled) != false) hooks.push_back(std::move(entry));
  }
  return hooks;
}

void give_hooks(Agent& agent, std::vector<HookEntry> hooks) {
  std::multimap<std::int64_t, HookEntry> ordered;  // those of one priority as they stand in the file
  for (auto& entry : hooks) ordered.emplace(entry.priority, std::move(entry));
  std::set<std::string> tools;
  for (auto& [priority, entry] : ordered) {
    tools.insert(entry.tools.begin(), entry.tools.end());
    agent.hooks.push_back(std::move(entry.hook));
  }
  agent.hook_tools.assign(tools.begin(), tools.end());
}

}  // namespace app
