#pragma once
// `{{…}}` in the scalars of an app file, resolved when the file is loaded: env.X, secret.X, app.*, sys.*, the names of
// dev.variables, quoted literals, and `a ?? b` for the first of them that has a value. Everything else is left as it stands,
// for run time. Values are put in as they are: only dev.variables and app.* may contain further templates.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "app/problems.h"
#include "app/yaml.h"
#include "llm/registry.h"

namespace app {

inline constexpr int kTemplateDepthMax = 10;
inline constexpr std::size_t kTemplateStepsMax = 100'000;  // placeholders resolved in one file

// The values of `sys.*`; nothing for unknown names.
using SystemValues = std::function<std::optional<std::string>(std::string_view name)>;
// Of this machine and process, as they are when the file is loaded.
SystemValues system_values(const llm::Environment& environment);

// Resolves every scalar of the tree. One that needs an environment variable without a value keeps its text, is marked
// `unresolved`, and is named in a warning, unless `quiet(path)`.
void expand_templates(Node& root, const llm::Environment& environment, const SystemValues& system, Problems& problems,
                      const std::function<bool(std::string_view path)>& quiet);

// The variable that an unresolved scalar names first; "its variable" where that cannot be said.
std::string unset_variable(const Node& unresolved);

}  // namespace app
