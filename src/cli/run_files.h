#pragma once
// The files of a run, seen from the commands that only read.
#include <string>

#include "cli/process.h"

namespace cli {

// Waits a moment until the files of an ended run tell the end that the log has told already, so that whoever reads them after
// the command has answered finds them whole; completes them from the log where nobody else does (its executor died just then).
aio::Task<> files_settled(Process& process, const store::Run& run);

// Where the files of a run's group lie, and what the run made; "" where there is no such place.
std::string directory_of(const Settings& settings, const store::Run& run);
std::string artifacts_of(const Settings& settings, const store::Run& run);

}  // namespace cli
