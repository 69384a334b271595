#pragma once
// App files: YAML to App, with the problems as values.
#include <optional>
#include <string>
#include <string_view>

#include "app/definition.h"
#include "app/problems.h"

namespace app {

// Nothing where `problems` has an error afterwards. A relative `workdir` is one of `base_directory`.
std::optional<App> read_app(std::string_view yaml, const std::string& base_directory, const llm::Environment& environment,
                            Problems& problems);

// The absolute directory of a file.
std::string directory_of(const std::string& path);

}  // namespace app
