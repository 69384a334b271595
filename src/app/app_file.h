#pragma once
// App files: YAML to App, with the problems as values.
#include <optional>
#include <string>
#include <string_view>

#include "app/definition.h"
#include "app/problems.h"

namespace app {

// Nothing where `problems` has an error afterwards. `path`: of the file that the text is of, "" none; a relative `workdir` is one
// of its directory, and its agents remember it.
std::optional<App> read_app(std::string_view yaml, const std::string& path, const llm::Environment& environment,
                            Problems& problems);

}  // namespace app
