#pragma once
// Starts the shim of a child directory: this program again, in a session of its own, with nothing of this process' secrets but what its child is to inherit.
#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

namespace process {

enum class Spawn { first, again };

// Blocks for the fork; does not wait for the shim. Its pid, or errno. A failpoint is only for the first of a child. `inherits`: the
// names of variables of this process that the child is to have.
std::expected<pid_t, int> spawn_shim(const std::string& directory, Spawn which, const std::vector<std::string>& inherits = {});

}  // namespace process
