#pragma once
// What happens in a session besides the conversation: its background tasks, and turns that nobody here began.
#include <set>
#include <string>
#include <vector>

#include "cli/process.h"

namespace cli {

// Notices that the agent has not been told yet, in words for people; those in `told` are left out, and put there.
aio::Task<std::vector<std::string>> news_of_tasks(Process& process, std::string session_id, std::set<std::int64_t>& told);

// The session's agent runs later than `seen`, oldest first.
aio::Task<std::vector<store::Run>> runs_after(Process& process, std::string session_id, store::RunNumber seen);

// The newest tasks of the session as a table on stdout.
aio::Task<> show_tasks(Process& process, std::string session_id);

}  // namespace cli
