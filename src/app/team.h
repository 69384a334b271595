#pragma once
// Which agents of an app may give work to which.
#include "app/definition.h"
#include "app/problems.h"
#include "app/yaml.h"

namespace app {

// Fills the teams of those agents that have the Agent tool. `list`: the nodes that the agents were read from.
void form_teams(std::vector<Agent>& agents, const Node* list, Problems& problems);

}  // namespace app
