#pragma once
// A directory that a task works in without touching anybody else's: a git worktree of a repository, on a branch of its own. It belongs to
// the task alone, and goes when the task is done and nothing would be lost with it.
#include <string>
#include <vector>

#include "engine/deps.h"

namespace engine {

struct GitWorktree {
  std::string repository;  // the top of its working tree, absolute
  std::string directory;   // of the worktree, absolute
  std::string branch;      // "outlast/SLUG"
};

std::string worktree_branch(std::string_view slug);

// Commands that need git alone and say on their streams what went wrong. Making one that is there, and removing one that is not, is done.
std::vector<std::string> make_command(const GitWorktree& worktree);
// An exit code other than 0: nothing was touched, since something in it is nowhere else, or git could not say.
std::vector<std::string> remove_command(const GitWorktree& worktree);

// For the run, before its work begins, where its spec names a repository. Errc::unavailable with git's words.
aio::Task<base::Result<>> make_worktree(Deps& deps, const store::Run& run, const run::Spec& spec);
// ... and when it has ended, where its task is done. What is kept, and why, is a fact of the run; what goes wrong is logged and changes
// nothing of the run.
aio::Task<> tidy_worktree(Deps& deps, const store::Run& run, const run::Spec& spec);

}  // namespace engine
