#pragma once
// What a paused run waits for, and the decision that lets it go on.
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/process.h"
#include "run/event.h"

namespace cli {

// The calls that a paused run waits for and nobody has decided; none where it was parked after a crash loop. A failure where it
// is not paused.
aio::Task<Checked<std::vector<run::ToolCall>>> waiting_calls(Process& process, store::Run run);

// Records the decisions.
aio::Task<Checked<>> decide(Process& process, store::Run run, std::vector<run::Decision> decisions);

// Sees to it that a decided run is executed: a server adopts it within a moment, or it gets an executor of its own.
aio::Task<Checked<>> see_executed(Process& process, store::Run run);

}  // namespace cli
