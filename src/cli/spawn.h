#pragma once
// The detached process that executes a run (`outlast execute`), and the hand-over to it.
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "cli/output.h"
#include "cli/process.h"
#include "store/types.h"

namespace cli {

// What the child said when it had decided: it executes the run, somebody else does already, or why nobody does.
struct Started {
  std::int64_t pid = 0;  // of the executor, 0 where it is another process' run now
};

// Starts an executor of the run in a session of its own, with nothing of this process but its environment and credentials, and
// waits until it has claimed the run from `from` (0: the run has no living executor). The failure says why it did not.
aio::Task<Checked<Started>> start_executor(Process& process, std::string run_id, std::string directory, store::OwnerNumber from);

// Where an executor without run directory writes what it says.
std::string executor_log(const std::string& directory);

}  // namespace cli
