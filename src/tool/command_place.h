#pragma once
// Whether a command may run where it is asked for, links resolved, and at all. Blocks: for an offload.
#include <optional>
#include <string>

#include "tool/command_policy.h"

namespace tool {

// Why not, as the model is told; nothing: it may.
std::optional<std::string> refuse(const run::ShellSettings& settings, const std::string& command, const CommandPlace& place);

// Where a command runs that is given `cwd` ("" or relative: from the work directory).
CommandPlace command_place(const std::string& work_directory, const std::string& cwd);

}  // namespace tool
