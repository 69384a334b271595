#include "engine/git_worktree.h"

#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/harness_environment.h"
#include "engine/harness_task.h"
#include "process/child_directory.h"

namespace engine {

namespace {

constexpr std::int64_t kGitMs = 600'000;  // a large repository is checked out
constexpr std::size_t kLines = 20, kBytes = 2'000;

// $1 the repository, $2 the directory, $3 the branch. What a caller's git has set for itself says nothing of these.
constexpr std::string_view kPrologue = "unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_COMMON_DIR\n";
constexpr std::string_view kMake = R"(
[ -e "$2/.git" ] && exit 0
git -C "$1" worktree prune || exit 1
if git -C "$1" rev-parse -q --verify "refs/heads/$3" >/dev/null
then git -C "$1" worktree add "$2" "$3"
else git -C "$1" worktree add -b "$3" "$2"
fi
)";
// Without --force: git itself refuses where files would be lost that came in between. The branch is looked at before, since git knows only
// whether it is merged into what is checked out.
constexpr std::string_view kRemove = R"(
[ -e "$2/.git" ] || exit 0
changed=$(git -C "$2" status --porcelain) || exit 1
[ -z "$changed" ] || { echo "it has changes that are not committed"; exit 1; }
heads=HEAD
git -C "$2" rev-parse -q --verify "refs/heads/$3" >/dev/null && heads="HEAD refs/heads/$3"
own=$(git -C "$2" rev-list -n 1 $heads --not --exclude="$3" --branches --remotes --tags) || exit 1
[ -z "$own" ] || { echo "branch $3 has commits that are on no other branch and in no remote"; exit 1; }
git -C "$1" worktree remove "$2" || exit 1
git -C "$1" branch -q -D "$3" 2>/dev/null
exit 0
)";

std::vector<std::string> script(std::string_view text, const GitWorktree& worktree) {
  return {"/bin/sh", "-c", std::string(kPrologue) + std::string(text), "outlast", worktree.repository, worktree.directory, worktree.branch};
}

struct Outcome {
  int exit_code = -1;
  std::string words;
};

aio::Task<Outcome> perform(Deps& deps, const store::Run& run, const run::Spec& spec, std::string name, std::vector<std::string> command) {
  process::ChildKey key{.run_id = run.run_id, .call_id = std::move(name), .epoch = run.epoch};
  process::ChildSpec child;
  child.argv = std::move(command);
  child.directory = "/";  // git says itself when the repository is gone
  give_environment(child, deps, run, *spec.harness);
  child.wall_ms = kGitMs;
  child.output_bytes_max = static_cast<std::int64_t>(base::limits::kChildOutputBytesMax);
  const auto directory = deps.children->directory(key);
  const auto ended = co_await deps.children->run(key, std::move(child));
  Outcome outcome;
  for (const auto file : {process::kStdoutFile, process::kStderrFile}) outcome.words += process::read_tail(directory.file(file), kLines, kBytes).text;
  outcome.words = base::trim(outcome.words);
  if (!ended) {
    outcome.words = ended.error().message;
  } else if (ended->cause == process::Cause::exited) {
    outcome.exit_code = ended->exit_code.value_or(-1);
  } else if (outcome.words.empty()) {
    outcome.words = ended->message.empty() ? std::string(process::name(ended->cause)) : ended->message;
  }
  co_return outcome;
}

GitWorktree worktree_of(const run::Spec& spec) {
  return {.repository = spec.harness->repository, .directory = spec.work_directory, .branch = worktree_branch(spec.harness->task)};
}

aio::Task<> tidy(Deps& deps, const store::Run& run, const run::Spec& spec) {
  if (spec.harness->repository.empty() || !co_await is_done(deps.store, *spec.harness)) co_return;
  const auto removed = co_await perform(deps, run, spec, "worktree removal", remove_command(worktree_of(spec)));
  const boost::json::object kept{{"directory", spec.work_directory}, {"kept", removed.words}};
  const boost::json::object gone{{"directory", spec.work_directory}, {"removed", true}};
  co_await deps.store.add_fact(run.number, "worktree", base::to_text(removed.exit_code == 0 ? gone : kept));
}

}  // namespace

std::string worktree_branch(std::string_view slug) { return "outlast/" + std::string(slug); }

std::vector<std::string> make_command(const GitWorktree& worktree) { return script(kMake, worktree); }
std::vector<std::string> remove_command(const GitWorktree& worktree) { return script(kRemove, worktree); }

aio::Task<base::Result<>> make_worktree(Deps& deps, const store::Run& run, const run::Spec& spec) {
  if (spec.harness->repository.empty() || access((spec.work_directory + "/.git").c_str(), F_OK) == 0) co_return base::Result<>{};
  const auto made = co_await perform(deps, run, spec, "worktree", make_command(worktree_of(spec)));
  if (made.exit_code == 0) co_return base::Result<>{};
  co_return base::fail(base::Errc::unavailable, "the worktree " + spec.work_directory + " of " + spec.harness->repository + " cannot be made: " + made.words);
}

aio::Task<> tidy_worktree(Deps& deps, const store::Run& run, const run::Spec& spec) {
  try {
    co_await tidy(deps, run, spec);
  } catch (const base::Broken& error) {
    base::log::error("a worktree could not be looked after", {{"run", run.run_id}, {"reason", error.what()}});
  }
}

}  // namespace engine
