#pragma once
// What the commands do about a task's git worktree (engine/git_worktree.h); the run of its agent makes it.
#include <string>

#include "cli/output.h"
#include "cli/process.h"

namespace cli {

// Whether `directory` is the top of a git repository that worktrees can be made of. Blocks: it asks git.
Checked<> check_repository(const std::string& directory);
// "" for a task that works elsewhere.
std::string worktree_note(const store::Assignment& task);
// Where no run of the task is live: the worktree goes if nothing would be lost with it. What is kept is said on stderr.
aio::Task<> tidy_worktree_of(Process& process, store::Assignment task);

}  // namespace cli
