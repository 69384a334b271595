#pragma once
// Processes that belong together, found through /proc. Everything here blocks shortly.
#include <sys/types.h>

#include <string_view>
#include <vector>

namespace process {

// All processes below `root`, zombies left out. A subreaper's tree is complete: who loses its parent becomes its child.
std::vector<pid_t> descendants(pid_t root);

// All processes of this user whose environment holds the text `NAME=value` (as they were started with), but not `self`.
std::vector<pid_t> with_environment(std::string_view variable, pid_t self);

void signal_all(const std::vector<pid_t>& processes, int signal);

}  // namespace process
