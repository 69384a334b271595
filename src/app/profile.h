#pragma once
// Markdown profiles: the parts of load_profile that need no file.
#include <string_view>

#include "app/definition.h"
#include "base/error.h"

namespace app {

// `id` becomes the agent's id, and its name where the front matter has none.
base::Result<Agent> parse_profile(std::string_view text, std::string_view file_name, std::string_view id);

}  // namespace app
