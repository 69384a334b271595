#pragma once
// What every command that uses the store begins with.
#include <functional>
#include <string>
#include <string_view>

#include "cli/output.h"
#include "cli/process.h"

namespace cli {

// Loads the settings, opens the store and runs `main` to its end. Says what is wrong and gives 78 where that is impossible.
int with_store(const std::function<aio::Task<int>(Process&)>& main);
// The same for a command that tells failures in a form of its own: `report` gives the exit code.
int with_store(const std::function<aio::Task<int>(Process&)>& main, const std::function<int(const Failure&)>& report);

// A run by its id, its unique prefix, or a session's (then its newest run). A failure names the id.
aio::Task<Checked<store::Run>> resolve_run(Process& process, std::string id);
// A session by its id or prefix, or by a run's.
aio::Task<Checked<store::Session>> resolve_session(Process& process, std::string id);

// Where a group's files lie.
std::string run_directory(const Settings& settings, std::string_view group_id);

// The present row of a run that is known; nothing when it was removed.
aio::Task<std::optional<store::Run>> present(Process& process, std::string run_id);

// Whether nobody alive executes the run although it is due.
aio::Task<bool> is_orphan(Process& process, store::RunNumber run);

}  // namespace cli
