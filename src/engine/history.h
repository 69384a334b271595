#pragma once
// A run's past: the folds of the runs that had ended in its session when it was launched (and of a fork's origin).
#include <vector>

#include "run/agent.h"
#include "store/store.h"

namespace engine {

// Folds the first `until` events of a run's log. Throws base::Broken for a log that cannot be read.
aio::Task<run::AgentState> fold_run(store::Store& store, const store::Run& run, run::Spec spec, std::uint64_t until = UINT64_MAX);

// The same of a log that is known.
run::AgentState fold_known(const store::Run& run, const run::Spec& spec, const store::Slice& log);

// The messages before this run's own, oldest first. Runs that were cancelled before they began are no part of it. Tool calls
// without results are left out: providers refuse them. The oldest runs are left out whole where the conversation exceeds
// kHistoryBytesMax.
aio::Task<std::vector<run::Message>> past_messages(store::Store& store, const store::Run& run);

// The last of them, at most so many; none answers a call that is not there any more.
void keep_last(std::vector<run::Message>& messages, std::size_t count);

// A message that was cancelled while it waited its turn: no model has seen it.
bool never_began(const run::AgentState& state);

// The messages of one fold as a provider may be given them.
std::vector<run::Message> complete_messages(const run::AgentState& state);

}  // namespace engine
