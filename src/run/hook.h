#pragma once
// Hooks: what an app wants done when something happens in a run (docs/hooks.md). A hook is data in the run's spec, so that every
// executor knows it; whether it fires is decided here, what it does is done by engine/hooks.
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace run {

enum class HookEvent {
  turn_start,
  turn_end,
  stop,
  tool_start,
  tool_end,
  session_start,
  session_end,
  pre_compact,
  error,
  approval_request,
  agent_spawn,
  agent_complete,
  activation,
  background_start,
  background_progress,
  background_end,
};

// "tool_start" ...
std::string_view name(HookEvent event);
// By its name or by another that hooks know it by: "pre_tool_use".
std::optional<HookEvent> parse_hook_event(std::string_view name);
std::vector<std::string_view> hook_event_names();

struct Hook {
  std::string id;
  HookEvent on = HookEvent::turn_end;
  boost::json::object condition, action;  // with their `type`
  std::int64_t cooldown_ms = 0;           // of a session: not sooner than that after it fired; background_progress: its period
  std::int64_t max_fires = 0;             // of a session; 0: no bound
  std::int64_t timeout_ms = 30'000;       // of what its action does
};

boost::json::object to_json(const Hook& hook);
// Nothing where it is no hook that this program knows: a newer one wrote it.
std::optional<Hook> hook_of(const boost::json::object& o);

// How often a hook has fired in a session.
struct Fired {
  std::int64_t count = 0, last_ms = 0;
};
bool may_fire(const Hook& hook, const Fired& fired, std::int64_t now_ms);

}  // namespace run
