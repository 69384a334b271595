#pragma once
// `outlast shim DIRECTORY`: the owner of one child process. It outlives the executor that spawned it, keeps what the child
// writes and how it ends in the directory, and answers on a socket there (docs/formats/child-directory.md).
#include <string>

namespace process {

// Claims the child, runs it, and returns when its whole tree is gone; at once where it is claimed by another. An exit code.
// Changes the process it runs in (session, signals, working directory): to be called from main, before any thread is there.
int run_shim(const std::string& directory);

}  // namespace process
