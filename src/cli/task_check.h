#pragma once
// The command that says whether a task's work counts (`--check`), as a task's own agent meets it when it says that it is done.
#include "cli/output.h"
#include "cli/process.h"

namespace cli {

// Runs it in the task's directory; there is none: passed. A failure has the end of what it wrote.
aio::Task<Checked<>> pass_check(store::Assignment task);

}  // namespace cli
