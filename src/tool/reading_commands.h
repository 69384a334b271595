#pragma once
// Commands that are known to read only: what a shell with `readonly` may run. A program that is not named here may write. Pure.
#include <optional>
#include <string>

#include "tool/shell_syntax.h"

namespace tool {

// Why the command may change something ("is not known to ..."); nothing: it only reads.
std::optional<std::string> not_reading(const ShellCommand& command);

}  // namespace tool
