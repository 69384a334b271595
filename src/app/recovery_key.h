#pragma once
// `recovery` of an agent or a profile: what becomes of a step that was cut when its executor died. One word for all steps, or a
// map: `default`, and tools by any of their names.
#include <string>

#include "app/definition.h"
#include "app/problems.h"
#include "app/shape.h"

namespace app {

inline constexpr Shape kRecoveryShape = or_also(open_map(&kTextItem), kText);

// Into the agent and its grants; words and tools that are unknown go to `problems`, a tool that it has not been given is warned of.
void read_recovery(const Node* node, const std::string& path, Agent& agent, Problems& problems);

}  // namespace app
