#pragma once
// `brain`: which model an agent thinks with, and where it is reached.
#include <string>

#include "app/definition.h"
#include "app/problems.h"
#include "app/yaml.h"

namespace app {

// `providers` is tools.modules.llm_provider.config.providers, where provider_id points; may be null. The block's shape was
// checked.
Brain read_brain(const Node& block, const Node* providers, const std::string& path, Problems& problems);

}  // namespace app
