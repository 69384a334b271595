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
// Exit code kWorktreeKept: there is something in it that is nowhere else, and nothing was touched; standard output says what.
std::vector<std::string> remove_command(const GitWorktree& worktree);
inline constexpr int kWorktreeKept = 3;

// For the run, before its work begins, where its spec names a repository. Errc::unavailable with git's words.
aio::Task<base::Result<>> make_worktree(Deps& deps, const store::Run& run, const run::Spec& spec);
// ... and when it has ended, where its task is done. What is kept, and why, is a fact of the run.
aio::Task<> tidy_worktree(Deps& deps, const store::Run& run, const run::Spec& spec);

}  // namespace engine
