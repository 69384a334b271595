#pragma once
// Which tasks have a process now. From our own records for supervised sessions; from the harness's registry, asked at most once a
// command and only in bg mode, for background ones.
#include <vector>

#include "cli/process.h"
#include "cli/task_view.h"

namespace cli {

// Of each task in the order given. Never fails: what could not be found out is not known, and TaskNow says why.
aio::Task<std::vector<TaskNow>> tasks_now(Process& process, const std::vector<store::Assignment>& tasks);

// A note on stderr where a registry could not be asked.
void note_registry_failure(const std::vector<TaskNow>& now);

}  // namespace cli
