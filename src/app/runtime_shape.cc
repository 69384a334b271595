// `runtime`, hooks, triggers, the context window, `flow`.
#include "app/app_shape.h"
#include "base/limits.h"

namespace app {

namespace limits = base::limits;

namespace {

constexpr double kKeptHoursMax = 1e6;

constexpr std::string_view kModes[] = {"one_shot", "conversation", "background", "pipeline"};
constexpr std::string_view kSessionModes[] = {"mono", "multi"};
constexpr std::string_view kWorkdirModes[] = {"none", "required", "fixed", "auto"};
constexpr std::string_view kInjections[] = {"direct", "compact_direct", "discovery"};
constexpr std::string_view kMidTurn[] = {"queue", "inject"};
constexpr std::string_view kStrategies[] = {"truncate", "summarize"};
constexpr std::string_view kOnEnd[] = {"cancel", "detach", "adopt"};
constexpr std::string_view kTriggerTypes[] = {"cron", "watch", "http"};
constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};
constexpr std::string_view kRoutings[] = {"broadcast", "user", "session"};
constexpr std::string_view kNodeTypes[] = {"agent", "tool", "parallel", "approval", "decision", "terminal"};
constexpr std::string_view kJoins[] = {"all", "any", "first", "count"};

constexpr Field kContext[] = {
    {"max_tokens", integer(0, 2'000'000)}, {"output_reserved", integer(0)},          {"strategy", one_of(kStrategies)},
    {"keep_recent", integer(0)},           {"compression_trigger", number(0, 1)},    {"summary_max_tokens", integer(1)},
    {"auto_compact", boolean()},           {"summary_brain", same_as(&kBrainShape)},
};

// An unquoted `on:` is the boolean true in YAML 1.1, so some editors write the key `true`. Conditions and actions are open.
constexpr Field kHook[] = {
    {"id", text(), Presence::required},
    {"on", text()},
    {"true", text()},
    {"event", text()},
    {"condition", or_also(open_map(), kText), Presence::required},
    {"action", or_also(open_map(), kText), Presence::required},
    {"cooldown", number(0)},
    {"max_fires", integer(0)},
    {"priority", integer()},
    {"enabled", boolean()},
    {"tags", texts()},
    {"timeout", positive()},
};

constexpr Field kTrigger[] = {
    {"id", text(), Presence::required},
    {"type", one_of(kTriggerTypes), Presence::required},
    {"schedule", text()},
    {"paths", texts()},
    {"path", text()},
    {"method", one_of(kMethods)},
    {"port", integer(1024, 65535)},
    {"message", text()},
    {"routing", one_of(kRoutings)},
    {"routing_key", text()},
};
constexpr Shape kTriggerShape = map_of(kTrigger);

constexpr Field kPipelineStep[] = {
    {"app", text(), Presence::required}, {"input", text()}, {"output_as", text()}, {"optional", boolean()}};
constexpr Shape kPipelineStepShape = map_of(kPipelineStep);

constexpr Field kInput[] = {
    {"type", text()}, {"accept", texts()}, {"max_size", text()}, {"description", text()}, {"required", boolean()}};
constexpr Field kOutput[] = {{"type", text()}, {"format", text()}, {"description", text()}, {"schema_def", open_map()}};

constexpr Field kPayloadField[] = {
    {"name", text(), Presence::required},
    {"label", text()},
    {"type", text()},
    {"required", boolean()},
    {"default", any()},
    {"description", text()},
    {"placeholder", text()},
    {"options", texts()},
    {"min", number(-1e300)},
    {"max", number(-1e300)},
};
constexpr Shape kPayloadFieldShape = map_of(kPayloadField);
constexpr Field kPayloadFile[] = {
    {"name", text(), Presence::required},
    {"label", text()},
    {"description", text()},
    {"required", boolean()},
    {"mime", texts()},
    {"max_size_mb", positive()},
    {"max_count", integer(1)},
};
constexpr Shape kPayloadFileShape = map_of(kPayloadFile);
constexpr Field kPayload[] = {{"required", boolean()},
                              {"prompt", open_map()},
                              {"metadata", list(&kPayloadFieldShape)},
                              {"files", list(&kPayloadFileShape)}};

constexpr Field kMode[] = {
    {"label", text()},
    {"description", text()},
    {"icon", text()},
    {"accent", text()},
    {"max_turns", integer(1)},
    {"timeout", positive()},
    {"workspace_mode", text()},
    {"system_prompt", text()},
    {"tool_grants", list(&kGrantShape)},
    {"behavior_profile", text()},
};
constexpr Shape kModeShape = map_of(kMode);

// "name", {name: configuration} or {name: …, config: …, enabled: …}.
constexpr Shape kMiddleware = or_also(open_map(), kText);

constexpr Field kBackground[] = {
    {"cap", integer(1, limits::kSessionTasksCapMax)},
    {"keep_hours", {.types = kNumber, .min = 0, .max = kKeptHoursMax, .above_min = true}},
    {"keep_count", integer(0, limits::kSessionTasksCapMax)},
    {"on_end", one_of(kOnEnd)},
};

constexpr Field kRuntime[] = {
    {"mode", one_of(kModes)},
    {"entry_agent", text()},
    {"max_turns", integer(1)},
    {"timeout", positive()},
    {"session_mode", one_of(kSessionModes)},
    {"max_sessions_per_user", integer(0)},
    {"max_concurrent_activations", integer(1)},
    {"workdir", text()},
    {"workdir_mode", one_of(kWorkdirModes)},
    {"modes", open_map(&kModeShape)},
    {"default_mode", text()},
    {"mid_turn_messages", one_of(kMidTurn)},
    {"input", map_of(kInput)},
    {"output", map_of(kOutput)},
    {"triggers", list(&kTriggerShape)},
    {"payload_schema", map_of(kPayload)},
    {"pipeline", list(&kPipelineStepShape)},
    {"context", same_as(&kContextShape)},
    {"background", map_of(kBackground)},
    {"project_memory", text()},
    {"direct_modules", texts()},
    {"tool_injection", one_of(kInjections)},
    {"hooks", list(&kHookShape)},
    {"max_stop_retries", integer(0)},
    {"watchers", boolean()},
    {"scheduler", boolean()},
    {"default_channel", text()},
    {"middleware", list(&kMiddleware)},
    {"workbench", boolean()},
    {"workbench_max_chars", integer(0)},
    {"workbench_reflection", boolean()},
    {"workbench_error_memory", boolean()},
    {"flow", same_as(&kFlowShape)},
};

constexpr Field kRoute[] = {{"when", text()}, {"default", boolean()}, {"match", text()}, {"to", text(), Presence::required}};
constexpr Shape kRouteShape = map_of(kRoute);
constexpr Field kRetry[] = {{"max_attempts", integer(1)},
                            {"backoff_ms", integer(0)},
                            {"multiplier", positive()},
                            {"max_backoff_ms", integer(0)},
                            {"match", any()}};
constexpr Field kJoin[] = {{"type", one_of(kJoins)}, {"min", integer(1)}, {"count", integer(1)}, {"timeout", positive()}};
constexpr Field kNode[] = {
    {"id", text(), Presence::required},
    {"type", one_of(kNodeTypes), Presence::required},
    {"description", text()},
    {"agent", text()},
    {"tool", text()},
    {"params", open_map()},
    {"branches", list()},
    {"join", map_of(kJoin)},
    {"message", text()},
    {"choices", list()},
    {"expr", text()},
    {"routes", list(&kRouteShape)},
    {"on_error", list(&kRouteShape)},
    {"retry", map_of(kRetry)},
    {"max_iterations", integer(0)},
    {"timeout", positive()},
};
constexpr Shape kNodeShape = map_of(kNode);
constexpr Field kFlow[] = {
    {"id", text(), Presence::required}, {"entry", text(), Presence::required}, {"description", text()},
    {"max_iterations", integer(0)},     {"nodes", list(&kNodeShape)},
};

}  // namespace

constinit const Shape kContextShape = map_of(kContext);
constinit const Shape kHookShape = map_of(kHook);
constinit const Shape kRuntimeShape = map_of(kRuntime);
constinit const Shape kFlowShape = map_of(kFlow);

}  // namespace app
