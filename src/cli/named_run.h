#pragma once
// Which run a person means.
#include <string>

#include "base/error.h"
#include "cli/process.h"

namespace cli {

// A run by its id, its session's, a unique beginning of one, RUN/AGENT, or the PID of the living process that executes it (of
// several, the one that has started the others). Errc: not_found, ambiguous (the message lists candidates).
aio::Task<base::Result<store::Run>> named_run(Process& process, std::string name);

}  // namespace cli
