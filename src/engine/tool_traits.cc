#include "engine/tool_traits.h"

#include "base/json.h"

namespace engine {

run::Recall ToolTraits::recall(const run::ToolCall& call) const {
  const auto* tool = tools_.find(call.name);
  if (!tool) return run::Recall::never;
  const auto arguments = base::parse_json(call.arguments);
  const auto effect = tool->side_effect(arguments && arguments->is_object() ? arguments->get_object() : boost::json::object());
  if (effect == tool::SideEffect::at_most_once) return run::Recall::never;
  return effect == tool::SideEffect::idempotent ? run::Recall::repeat : run::Recall::reattach;
}

std::string ToolTraits::granted_name(std::string_view any_name) const {
  const auto* tool = tools_.find(any_name);
  return tool ? tool->definition().name : std::string();
}

}  // namespace engine
