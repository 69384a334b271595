#include "cli/task_worktree.h"

#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/registry_query.h"
#include "cli/task_turn.h"
#include "engine/git_worktree.h"
#include "process/capture.h"

namespace cli {

namespace {

constexpr std::int64_t kGitMs = 60'000;
constexpr std::size_t kWordsColumns = 300;

process::CaptureSpec capture_spec(std::vector<std::string> argv) {
  process::CaptureSpec spec{.argv = std::move(argv), .directory = "/", .environment = {}, .timeout_ms = kGitMs};
  for (char** at = environ; *at; ++at)
    if (const std::string_view one(*at); !one.starts_with("GIT_DIR=") && !one.starts_with("GIT_WORK_TREE=")) spec.environment.emplace_back(one);
  return spec;
}

std::string words_of(const process::Captured& done) {
  if (!done.not_started.empty()) return done.not_started;
  const auto& text = base::trim(done.standard_output).empty() ? done.standard_error : done.standard_output;
  return one_line(base::utf8_lossy(text), kWordsColumns);
}

// An agent of the harness's own outlives the run that has started it. "": nobody is there.
aio::Task<std::string> why_occupied(Process& process, const store::Assignment& task) {
  const auto* harness = harness::find(task.harness);
  if (!task.background || !harness || !harness->background()) co_return std::string();
  const auto agents = co_await ask_registry(process, *harness, kRegistryLaunchMs);
  if (!agents) co_return "whether its background agent is there could not be found out: " + agents.error();
  const auto live = std::ranges::find_if(*agents, [&](const harness::Registered& one) { return one.session_id == task.session_id && is_there(one, process.time.wall_ms()); });
  co_return live == agents->end() ? std::string() : "its background agent is there; end it first: outlast task stop " + task.slug;
}

}  // namespace

Checked<> check_repository(const std::string& directory) {
  if (directory.empty()) return refuse(kUsage, "--worktree needs --work-dir: the git repository that a worktree is made of");
  const auto top = process::capture(capture_spec({"git", "-C", directory, "rev-parse", "--show-toplevel"}));
  if (!top.not_started.empty()) return refuse(kFailed, "--worktree needs git: " + top.not_started);
  if (top.exit_code != 0) return refuse(kFailed, "--worktree: " + directory + " is not in a git repository: " + words_of(top));
  if (const auto path = std::string(base::trim(top.standard_output)); path != directory)
    return refuse(kFailed, "--worktree: " + directory + " is inside the repository " + path + "; give --work-dir " + path);
  const auto head = process::capture(capture_spec({"git", "-C", directory, "rev-parse", "-q", "--verify", "HEAD"}));
  if (head.exit_code != 0) return refuse(kFailed, "--worktree: " + directory + " has no commit yet; make one first");
  return {};
}

std::string worktree_note(const store::Assignment& task) {
  if (task.repository.empty()) return {};
  return "\n                  (made at the first start: a worktree of " + task.repository + ", branch " + engine::worktree_branch(task.slug) + ")";
}

aio::Task<> tidy_worktree_of(Process& process, store::Assignment task) {
  if (task.repository.empty()) co_return;
  if (const auto run = co_await newest_run(process, task); run && !run::is_terminal(run->status)) co_return;
  if (const auto why = co_await why_occupied(process, task); !why.empty()) {
    warn("the worktree " + task.work_dir + " was kept: " + why);
    co_return;
  }
  const engine::GitWorktree worktree{task.repository, task.work_dir, engine::worktree_branch(task.slug)};
  aio::Offload blocking(1);
  const auto done = co_await process::capture(blocking, capture_spec(engine::remove_command(worktree)));
  if (done.exit_code != 0) warn("the worktree " + task.work_dir + " was kept: " + words_of(done));
}

}  // namespace cli
