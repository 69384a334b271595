#pragma once
// How an app's tools behave: what stands in `tools.modules.shell`, in the constraints of modules and in `rate_limits`, checked,
// as runs carry it.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/problems.h"
#include "app/yaml.h"
#include "run/tool_settings.h"

namespace app {

// `config` and `constraints` of tools.modules.shell; either may be null.
run::ShellSettings read_shell(const Node* config, const Node* constraints, Problems& problems);

// tools.modules.shell.config.foreground_limit, in milliseconds.
std::optional<std::int64_t> read_foreground_limit(const Node* config, Problems& problems);

// allowed_paths of tools.modules.filesystem.
std::vector<std::string> read_file_paths(const Node* constraints, Problems& problems);

// {"module.action": "10/min"}, or a list of {module, actions, max_calls, per_seconds}.
std::vector<run::RateLimit> read_rate_limits(const Node& node, const std::string& path, Problems& problems);

}  // namespace app
