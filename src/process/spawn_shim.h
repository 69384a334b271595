#pragma once
// Starts the shim of a child directory: this program again, in a session of its own, with nothing of this process' secrets.
#include <string>

namespace process {

// Blocks for the fork; does not wait for the shim. 0, or errno.
int spawn_shim(const std::string& directory);

}  // namespace process
