#pragma once
// The files of a run, seen from the commands that only read.
#include <string>

#include "cli/process.h"

namespace cli {

// Waits a moment until the files of an ended run tell the end that the log has told already, so that whoever reads them after
// the command has answered finds them whole; completes them from the log where nobody else does (its executor died just then).
aio::Task<> files_settled(Process& process, const store::Run& run);

}  // namespace cli
