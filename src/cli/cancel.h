#pragma once
// `outlast cancel ID...`: ends runs, and answers when they have ended.
#include <string>
#include <vector>

#include "cli/process.h"

namespace cli {

struct CancelOptions {
  std::vector<std::string> ids;
  bool json = false;
};

int run_cancel(const CancelOptions& options);

// Records the cancel and waits until the run has ended, for a bounded time; a run whose executor is dead is taken over and ended
// here. The run as it is then; nothing when it was removed.
aio::Task<std::optional<store::Run>> cancel_and_wait(Process& process, store::Run run);

// Ends what cancel_and_wait started, before the process ends.
aio::Task<> stop_executing(Process& process);

}  // namespace cli
