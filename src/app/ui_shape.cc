// `ui`, `security`, `context`: nothing of it has an effect here, but a mistyped key should be noticed.
#include "app/app_shape.h"

namespace app {

namespace {

constexpr Field kSlashCommand[] = {
    {"command", text(), Presence::required}, {"description", text()}, {"template", text()}, {"action", open_map()}};
constexpr Shape kSlashCommandShape = map_of(kSlashCommand);
constexpr Field kQuickPrompt[] = {
    {"label", text(), Presence::required}, {"message", text(), Presence::required}, {"icon", text()}};
constexpr Shape kQuickPromptShape = map_of(kQuickPrompt);

constexpr Field kPreviewChrome[] = {{"enabled", boolean()},
                                    {"refresh", boolean()},
                                    {"open_in_new_tab", boolean()},
                                    {"viewport_toggle", boolean()},
                                    {"url_bar", text()}};
constexpr Field kWorkspace[] = {
    {"render_mode", text()},
    {"entry_file", text()},
    {"title", text()},
    {"position", text()},
    {"width_pct", integer(10, 90)},
    {"auto_open_on_first_tool", boolean()},
    {"default_open", boolean()},
    {"default_view", text()},
    {"hidden_views", texts()},
    {"preview_chrome", map_of(kPreviewChrome)},
    {"source_control", text()},
    {"mode", text()},
};

constexpr Field kThinking[] = {{"visible", boolean()}, {"collapsed_default", boolean()}};
constexpr Field kToolCalls[] = {{"collapsed_default", boolean()}, {"show_silent", boolean()}, {"inject_intent", boolean()},
                                {"hide_details", boolean()},      {"strict_mode", boolean()}, {"intent_phrases", open_map()}};
constexpr Field kComposer[] = {
    {"file_upload", boolean()}, {"voice", boolean()}, {"slash_commands", boolean()}, {"quick_prompts_visible", boolean()}};
constexpr Field kVisual[] = {{"accent", text()}, {"bubble_style", text()}, {"user_bubble_alignment", text()}};
constexpr Field kActivity[] = {
    {"enabled", boolean()},
    {"position", text()},
    {"title", text()},
    {"show_running", boolean()},
    {"show_recent", boolean()},
    {"show_stats", boolean()},
    {"show_bg_tasks", boolean()},
    {"max_recent", integer(5, 500)},
    {"auto_open_on_spawn", boolean()},
};

constexpr Field kUi[] = {
    {"theme", open_map()},
    {"features", open_map()},
    {"workspace", map_of(kWorkspace)},
    {"slash_commands", list(&kSlashCommandShape)},
    {"quick_prompts", list(&kQuickPromptShape)},
    {"greeting", text()},
    {"composer", map_of(kComposer)},
    {"layout", text()},
    {"density", text()},
    {"thinking", map_of(kThinking)},
    {"tool_calls", map_of(kToolCalls)},
    {"visual", map_of(kVisual)},
    {"widgets", open_map()},
    {"slots", open_map()},
    {"activity", map_of(kActivity)},
    {"tool_renderers", open_map()},
    {"message_actions", open_map()},
    {"preview", open_map()},
};

constexpr std::string_view kSandboxLevels[] = {"off", "standard", "strict", "maximum"};
constexpr Field kSandbox[] = {
    {"level", one_of(kSandboxLevels)}, {"pool_size", integer(1, 32)},     {"pool_max", integer(1, 64)},
    {"namespaces", texts()},           {"workspace_snapshot", boolean()}, {"audit", boolean()},
    {"session_timeout", integer(60)},  {"idle_timeout", integer(30)},     {"allow_paths", texts()},
    {"resources", open_map()},
};
constexpr Field kBehavior[] = {
    {"profile", text()},
    {"rules", open_map()},
    {"custom", list()},
    {"rule_definitions", list()},
    {"state_tracking", open_map()},
    {"classify_turns", boolean()},
    {"classifier", open_map()},
    {"brain", same_as(&kBrainShape)},
    {"use_agent_brain", boolean()},
};
constexpr Field kSecurity[] = {
    {"behavior", map_of(kBehavior)}, {"sandbox", map_of(kSandbox)}, {"credentials_schema", open_map()}};

constexpr Field kSection[] = {
    {"id", text()},          {"title", text()},       {"text", text()},   {"template", text()},
    {"builtin", text()},     {"file", text()},        {"files", texts()}, {"dir", text()},
    {"optional", boolean()}, {"writable", boolean()}, {"when", text()},   {"priority", integer()},
};
constexpr Shape kSectionShape = map_of(kSection);
constexpr Field kSections[] = {{"sections", list(&kSectionShape)}};

}  // namespace

constinit const Shape kUiShape = map_of(kUi);
constinit const Shape kSecurityShape = map_of(kSecurity);
constinit const Shape kSectionsShape = map_of(kSections);

}  // namespace app
