#pragma once
// What a command line would run, seen through the commands that run others: env, sudo, xargs, find -exec, sh -c, eval and their
// like. Pure.
#include "tool/shell_syntax.h"

namespace tool {

// All that would run as far as it can be told, wrappers and what they wrap.
CommandLine understand_command_line(std::string_view text);

// "rm" of "/bin/rm".
std::string_view base_name(std::string_view path);

}  // namespace tool
