#pragma once
// Starts the child of a shim: fork, the new session, descriptors, exec.
#include <sys/types.h>

#include "base/error.h"
#include "process/child.h"

namespace process {

struct StartedChild {
  pid_t pid = 0;
  int input = -1;     // write end of its standard input, or the terminal's master; -1: none
  int terminal = -1;  // the terminal's master, whose output belongs into stdout; -1: none
};

// `out`, `err`: the files its output goes to. `tag`: NAME=value, added to its environment ("": none). `cgroup`: the entrance of the control
// group that it is to enter, or "". The error is why it could not run.
base::Result<StartedChild> start_child(const ChildSpec& spec, const std::string& tag, const std::string& cgroup, int out, int err);

}  // namespace process
