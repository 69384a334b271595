// The document, `app`, `agents`, `brain`, `tools`, `dev`.
#include "app/app_shape.h"

#include "app/recovery_key.h"

namespace app {

namespace {

constexpr std::string_view kPolicies[] = {"auto", "approve", "block"};
constexpr std::string_view kRisks[] = {"low", "medium", "high"};
constexpr std::string_view kBackends[] = {"openai_compat", "anthropic", "github_copilot"};
constexpr std::string_view kScopes[] = {"per_user", "per_app_shared", "system_wide", "per_app_per_user"};
constexpr std::string_view kRoles[] = {"worker", "coordinator", "specialist", "assistant", "supervisor"};
constexpr std::string_view kAttachmentModes[] = {"direct", "tool"};

constexpr Field kQuickPrompt[] = {
    {"label", text(), Presence::required}, {"message", text(), Presence::required}, {"icon", text()}};
constexpr Shape kQuickPromptShape = map_of(kQuickPrompt);

constexpr Field kApp[] = {
    {"app_id", text(), Presence::required},
    {"name", text(), Presence::required},
    {"short_name", text()},
    {"version", text()},
    {"schema_version", any()},
    {"description", text()},
    {"author", text()},
    {"tags", texts()},
    {"icon", text()},
    {"color", text()},
    {"category", text()},
    {"quick_prompts", list(&kQuickPromptShape)},
    {"attachments", or_also(texts(), kText)},
    {"attachments_mode", one_of(kAttachmentModes)},
    {"features", open_map()},
    {"theme", open_map()},
};

constexpr Field kCredential[] = {{"ref", text(), Presence::required}, {"scope", one_of(kScopes)}, {"provider", text()}};

constexpr Field kBrain[] = {
    {"provider_id", text()},
    {"provider", text()},
    {"model", text()},
    {"kind", text()},
    {"models", texts()},
    {"backend", one_of(kBackends)},
    {"config", open_map()},
    {"credential", or_also(map_of(kCredential), kText)},
    {"temperature", number(0, 2)},
    {"max_tokens", integer(1)},
    {"top_p", number(0, 1)},
    {"timeout", positive()},
    {"native_tool_use", boolean()},
    {"context", same_as(&kContextShape)},
    {"fallback", same_as(&kBrainShape)},
    {"vision", boolean()},
    {"image_generation", boolean()},
    {"image_detail", text()},
    {"max_images_per_turn", integer(0, 100)},
};

constexpr Field kPool[] = {{"max_workers", integer(1, 100)}, {"progress", boolean()}, {"auto_retry", integer(0, 5)}};
constexpr Field kCoordination[] = {{"delegate_to", texts()}, {"pool", map_of(kPool)}};
// Capabilities of an agent are names of skills, or a block like tools.capabilities.
constexpr Shape kAgentCapabilities = or_also(texts(), kMap);
constexpr Field kInstructions[] = {{"file", text()}, {"capabilities", kAgentCapabilities}, {"specialty", text()}};

constexpr Shape kModuleTools = or_also(texts(), kText);
// A module's name, or {module: [tools]}; an agent has a list of them, or one map for all.
constexpr Shape kModuleReference = or_also(open_map(&kModuleTools), kText);

constexpr Field kAgent[] = {
    {"id", text(), Presence::required},
    {"role", one_of(kRoles)},
    {"brain", same_as(&kBrainShape), Presence::required},
    {"system_prompt", text()},
    {"prompt", text()},
    {"plan_first", boolean()},
    {"specialty", text()},
    {"delegate_to", texts()},
    {"skills", or_also(texts(), kText)},
    {"capabilities", kAgentCapabilities},
    {"modules", {.types = kList | kMap, .each = &kModuleReference, .values = &kModuleTools}},
    {"pool", map_of(kPool)},
    {"coordination", map_of(kCoordination)},
    {"instructions", map_of(kInstructions)},
    {"context", same_as(&kSectionsShape)},
    {"hooks", list(&kHookShape)},
    {"max_tool_iterations", integer(1)},
    {"recovery", kRecoveryShape},
};

constexpr Field kGrant[] = {{"module", text(), Presence::required}, {"actions", texts()}, {"tools", texts()}, {"reason", text()}};

constexpr Field kCapabilities[] = {
    {"default_policy", one_of(kPolicies)}, {"max_risk_level", one_of(kRisks)},     {"grant", list(&kGrantShape)},
    {"approve", list(&kGrantShape)},       {"deny", list(&kGrantShape)},           {"approval_timeout", integer(30, 3600)},
    {"hidden_modules", texts()},           {"hidden_actions", list(&kGrantShape)}, {"rate_limits", or_also(open_map(), kList)},
    {"max_data_classification", text()},
};

constexpr Field kChannel[] = {
    {"type", text(), Presence::required}, {"config", open_map()}, {"user_resolver", any()}, {"activation", any()}};
constexpr Shape kChannelShape = map_of(kChannel);
// Whatever stands in a module block is its configuration.
constexpr Shape kModuleBlock = open_map();

constexpr Field kTools[] = {
    {"modules", open_map(&kModuleBlock)}, {"capabilities", same_as(&kCapabilitiesShape)}, {"channels", open_map(&kChannelShape)}};

constexpr Field kSkill[] = {
    {"command", text(), Presence::required}, {"description", text()}, {"path", text(), Presence::required}};
constexpr Shape kSkillShape = map_of(kSkill);
constexpr Shape kVariable = {.types = kText | kBool | kInteger | kNumber};
constexpr Field kInclude[] = {{"agents", or_also(texts(), kText)}, {"hooks", or_also(texts(), kText)}};
constexpr Field kDev[] = {{"skills", list(&kSkillShape)},
                          {"variables", open_map(&kVariable)},
                          {"include", map_of(kInclude)},
                          {"allow_user_skills", boolean()}};

// Older files keep modules, capabilities and hooks elsewhere.
constexpr Field kExecution[] = {{"hooks", list(&kHookShape)}};

constexpr Field kAppFile[] = {
    {"schema_version", any()},
    {"app", map_of(kApp), Presence::required},
    {"runtime", same_as(&kRuntimeShape)},
    {"agents", list(&kAgentShape)},
    {"tools", map_of(kTools)},
    {"security", same_as(&kSecurityShape)},
    {"ui", same_as(&kUiShape)},
    {"dev", map_of(kDev)},
    {"flow", same_as(&kFlowShape)},
    {"templates", any()},
    {"requirements", any()},
    {"context", same_as(&kSectionsShape)},
    {"documents", any()},
    {"teams", any()},
    {"workflows", any()},
    {"modules", open_map(&kModuleBlock)},
    {"capabilities", same_as(&kCapabilitiesShape)},
    {"execution", map_of(kExecution)},
};

}  // namespace

constinit const Shape kAppFileShape = map_of(kAppFile);
constinit const Shape kAgentShape = map_of(kAgent);
constinit const Shape kBrainShape = map_of(kBrain);
constinit const Shape kCapabilitiesShape = map_of(kCapabilities);
constinit const Shape kGrantShape = or_also(map_of(kGrant), kText);

}  // namespace app
