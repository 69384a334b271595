#pragma once
// Parts of an app file that load and do nothing yet. Nobody should believe that they work, least of all the restrictions.
#include "app/problems.h"
#include "app/yaml.h"

namespace app {

void warn_without_effect(const Node& root, Problems& problems);

}  // namespace app
