#include "run/hook.h"

#include <algorithm>

#include "base/json.h"

namespace run {

namespace json = boost::json;

namespace {

constexpr std::string_view kNames[] = {"turn_start",  "turn_end",    "stop",           "tool_start",    "tool_end",         "session_start",
                                       "session_end", "pre_compact", "error",          "approval_request", "agent_spawn",   "agent_complete",
                                       "activation",  "background_start", "background_progress", "background_end"};

struct Other {
  std::string_view name;
  HookEvent event;
};
constexpr Other kOthers[] = {{"user_prompt", HookEvent::turn_start},
                             {"pre_finish", HookEvent::stop},
                             {"pre_tool_use", HookEvent::tool_start},
                             {"post_tool_use", HookEvent::tool_end},
                             {"periodic", HookEvent::background_progress}};

}  // namespace

std::string_view name(HookEvent event) { return kNames[static_cast<std::size_t>(event)]; }

std::optional<HookEvent> parse_hook_event(std::string_view name) {
  if (const auto at = std::ranges::find(kNames, name); at != std::end(kNames)) return static_cast<HookEvent>(at - std::begin(kNames));
  const auto other = std::ranges::find(kOthers, name, &Other::name);
  return other == std::end(kOthers) ? std::nullopt : std::optional(other->event);
}

std::vector<std::string_view> hook_event_names() {
  std::vector<std::string_view> names(std::begin(kNames), std::end(kNames));
  for (const auto& other : kOthers) names.push_back(other.name);
  return names;
}

json::object to_json(const Hook& hook) {
  json::object o{{"id", hook.id}, {"on", name(hook.on)}, {"condition", hook.condition}, {"action", hook.action}};
  if (hook.cooldown_ms) o["cooldown_ms"] = hook.cooldown_ms;
  if (hook.max_fires) o["max_fires"] = hook.max_fires;
  o["timeout_ms"] = hook.timeout_ms;
  return o;
}

std::optional<Hook> hook_of(const json::object& o) {
  const auto on = parse_hook_event(base::text_or_empty(o, "on"));
  const auto* condition = base::object_field(o, "condition");
  const auto* action = base::object_field(o, "action");
  if (!on || !condition || !action) return std::nullopt;
  return Hook{.id = base::text_or_empty(o, "id"),
              .on = *on,
              .condition = *condition,
              .action = *action,
              .cooldown_ms = base::int_or_zero(o, "cooldown_ms"),
              .max_fires = base::int_or_zero(o, "max_fires"),
              .timeout_ms = base::int_field(o, "timeout_ms").value_or(30'000)};
}

bool may_fire(const Hook& hook, const Fired& fired, std::int64_t now_ms) {
  if (hook.max_fires > 0 && fired.count >= hook.max_fires) return false;
  const bool resting = fired.count > 0 && now_ms >= fired.last_ms && now_ms - fired.last_ms < hook.cooldown_ms;
  return !resting || hook.on == HookEvent::background_progress;  // whose cooldown is its period
}

}  // namespace run
