#pragma once
// Ending runs, whoever executes them: what cancel, rm and kill share.
#include <optional>

#include "cli/process.h"

namespace cli {

// Records the cancel and waits until the run has ended, for a bounded time; a run whose executor is dead is taken over and ended
// here. The run as it is then; nothing when it was removed.
aio::Task<std::optional<store::Run>> cancel_and_wait(Process& process, store::Run run);
inline constexpr std::int64_t kCancelEndMs = 10'000;

// Makes this process one that can take runs over; the first call alone does something.
aio::Task<> prepare_to_execute(Process& process);
// Takes over a run that nobody alive executes, and waits until its execution here has ended. Nothing where another process has
// it.
aio::Task<> take_over(Process& process, store::RunNumber run);
// Ends what was taken over, before the process ends.
aio::Task<> stop_executing(Process& process);

}  // namespace cli
