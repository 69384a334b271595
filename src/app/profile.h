#pragma once
// Markdown profiles: the parts of load_profile that need no file.
#include <optional>
#include <string>
#include <string_view>

#include "app/definition.h"
#include "app/problems.h"
#include "base/error.h"

namespace app {

// Nothing where `problems` has an error afterwards.
std::optional<Agent> read_profile(std::string_view text, std::string_view id, Problems& problems);
// The id of the agent that a profile's file defines.
std::string profile_id(const std::string& path);
// `id` becomes the agent's id, and its name where the front matter has none.
base::Result<Agent> parse_profile(std::string_view text, std::string_view file_name, std::string_view id);

}  // namespace app
