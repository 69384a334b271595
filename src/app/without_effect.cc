#include "app/without_effect.h"

#include <string>
#include <string_view>

namespace app {

namespace {

// What only dresses a user interface (ui, app.icon …) is left out: nothing is missed.
constexpr std::string_view kSections[] = {"security", "flow", "context", "documents", "templates", "requirements"};
// Names that are kept for what is to come; what stands in them is not looked at.
constexpr std::string_view kReserved[] = {"teams", "workflows"};
constexpr std::string_view kOfRuntime[] = {"triggers", "pipeline",       "middleware", "modes",    "input",
                                           "output",   "payload_schema", "watchers",   "scheduler"};
constexpr std::string_view kOfTools[] = {"channels"};
constexpr std::string_view kOfCapabilities[] = {"max_data_classification"};
constexpr std::string_view kOfDev[] = {"skills", "include"};
constexpr std::string_view kOfAgent[] = {"skills", "pool", "coordination"};
constexpr std::string_view kOfBrain[] = {"fallback", "context", "native_tool_use", "image_generation"};

template <std::size_t N>
void warn(const Node* map, const std::string& path, const std::string_view (&keys)[N], Problems& problems) {
  if (!map) return;
  for (const auto key : keys) {
    const auto* node = map->find(key);
    if (!node || as_bool(*node) == false) continue;
    if ((node->is_list() && node->items.empty()) || (node->is_map() && node->members.empty())) continue;
    problems.warn(child(path, key), "has no effect yet", node->mark);
  }
}

// No agent runs under a mode but conversation.
void warn_mode(const Node* runtime, Problems& problems) {
  // Every tool that is offered is offered directly.
  const auto* injection = runtime ? runtime->find("tool_injection") : nullptr;
  if (injection && injection->text != "direct") problems.warn("runtime.tool_injection", "has no effect yet", injection->mark);
  const auto* mode = runtime ? runtime->find("mode") : nullptr;
  if (mode && mode->text != "conversation" && mode->text != "one_shot")
    problems.warn("runtime.mode", "'" + shown(mode->text) + "' has no effect yet: the app runs when it is called", mode->mark);
}

}  // namespace

void warn_without_effect(const Node& root, Problems& problems) {
  warn(&root, "", kSections, problems);
  for (const auto key : kReserved)
    if (const auto* node = root.find(key)) problems.warn(key, "is not available yet", node->mark);
  const auto* runtime = root.find("runtime");
  warn(runtime, "runtime", kOfRuntime, problems);
  warn_mode(runtime, problems);
  const auto* tools = root.find("tools");
  warn(tools, "tools", kOfTools, problems);
  if (tools) warn(tools->find("capabilities"), "tools.capabilities", kOfCapabilities, problems);
  warn(root.find("dev"), "dev", kOfDev, problems);
  const auto* agents = root.find("agents");
  if (!agents) return;
  for (std::size_t i = 0; i < agents->items.size(); ++i) {
    const auto path = child("agents", i);
    warn(&agents->items[i], path, kOfAgent, problems);
    warn(agents->items[i].find("brain"), child(path, "brain"), kOfBrain, problems);
  }
}

}  // namespace app
