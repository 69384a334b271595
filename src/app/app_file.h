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

// Its agents are of this file, from now on wherever they go.
void set_file(App& app, const std::string& path);

}  // namespace app
