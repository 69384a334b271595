#pragma once
// Bash: commands in the run's work directory, owned by a shim each, so that they survive whoever asked for them.
#include <memory>
#include <string>
#include <vector>

#include "aio/offload.h"
#include "aio/time.h"
#include "process/children.h"
#include "tool/tool.h"

namespace tool {

struct ShellOptions {
  std::vector<std::string> environment;  // NAME=value, what commands may know of this process' own (shell_environment)
};

// The references outlive the tools. `files` reads what commands wrote.
std::vector<std::unique_ptr<Tool>> shell_tools(process::Children& children, aio::Offload& files, aio::Time& time,
                                               ShellOptions options);

// What a command gets of the variables that this process has: where programs, the user and the language are; no keys.
std::vector<std::string> shell_environment(const std::vector<std::string>& own);

}  // namespace tool
