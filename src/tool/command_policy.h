#pragma once
// Whether an app's settings let a command line run. A list of blocked commands is a guard rail: it finds a command behind the
// usual disguises, and nothing keeps a program from doing the same in another way. A list of allowed commands or paths refuses
// whatever is not understood for sure. Pure.
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "run/tool_settings.h"

namespace tool {

// Where a command line would run. Absolute, without dots.
struct CommandPlace {
  std::string work_directory;
  std::string directory;
};

// Why the line may not run, as the model is told; nothing: it may.
std::optional<std::string> refuse_command(const run::ShellSettings& settings, std::string_view line, const CommandPlace& place);

// Whether the command lines of this shell are understood, so that they can be held against a list.
bool understands_shell(std::string_view program);

// An entry of a list of commands: a name or a path, and words that must follow it. Errc::invalid_argument says what is wrong.
base::Result<> check_allowed_command(std::string_view entry);
base::Result<> check_blocked_command(std::string_view entry);

}  // namespace tool
