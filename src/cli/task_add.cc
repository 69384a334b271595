#include "cli/task_add.h"

#include <filesystem>

#include "base/json.h"
#include "cli/store_command.h"
#include "cli/task_desk.h"
#include "cli/task_view.h"
#include "cli/task_worktree.h"
#include "cli/task_words.h"

namespace cli {

namespace {

namespace fs = std::filesystem;

constexpr int kSlugsMax = 1'000;  // tasks whose names make the same slug

// The task as it was asked for, without what depends on its slug. Blocks: it looks at, and with --mkdir makes, the directory.
Checked<std::string> work_directory(const TaskAddOptions& options) {
  if (options.work_dir.empty()) return std::string();
  if (options.make_work_dir)
    if (const auto made = make_directory(options.work_dir); !made) return refuse(kFailed, "--work-dir " + made.error().message);
  std::error_code ec;
  const auto path = fs::canonical(options.work_dir, ec);
  if (ec) return refuse(kFailed, "--work-dir " + options.work_dir + ": " + ec.message() + "; --mkdir makes it");
  if (!fs::is_directory(path, ec)) return refuse(kFailed, "--work-dir " + options.work_dir + " is not a directory");
  return path.string();
}

Checked<> check_slugs(const TaskAddOptions& options) {
  for (const auto& [flag, word] : {std::pair("--slug", &options.slug), std::pair("--alias", &options.alias)})
    if (!word->empty() && !is_slug(*word))
      return refuse(kUsage,
                    std::string(flag) + " " + *word + ": write 1 to 64 of a-z, 0-9 and -, beginning with a letter or digit");
  if (!options.alias.empty() && options.alias == options.slug) return refuse(kUsage, "--alias is the slug already");
  return {};
}

Checked<store::Assignment> wanted_task(const TaskAddOptions& options) {
  if (const auto good = check_slugs(options); !good) return std::unexpected(good.error());
  store::Assignment task;
  task.alias = options.alias;
  struct Text {
    std::string_view what;
    const std::string& from;
    std::string& to;
  };
  for (const auto& text : {Text{"name", options.name, task.name}, Text{"project", options.project, task.project},
                           Text{"assignee", options.assignee, task.assignee}}) {
    auto checked = task_text(text.from, text.what);
    if (!checked) return std::unexpected(checked.error());
    text.to = *std::move(checked);
  }
  if (task.name.empty()) return refuse(kUsage, "the name is empty: say what is to be done");
  auto priority = task_priority(options.priority);
  if (!priority) return std::unexpected(priority.error());
  task.priority = *std::move(priority);
  auto due = task_due(options.due, base::SystemClock().wall_ms());
  if (!due) return std::unexpected(due.error());
  task.due = *std::move(due);
  auto tags = task_tags(options.tags);
  if (!tags) return std::unexpected(tags.error());
  task.tags = *std::move(tags);
  auto harness = task_harness(options.harness);
  if (!harness) return std::unexpected(harness.error());
  task.harness = *std::move(harness);
  auto check = task_command(options.check, "--check");
  if (!check) return std::unexpected(check.error());
  task.check = *std::move(check);
  auto notify = task_command(options.notify, "--notify");
  if (!notify) return std::unexpected(notify.error());
  task.notify = *std::move(notify);
  auto directory = work_directory(options);
  if (!directory) return std::unexpected(directory.error());
  if (!options.worktree) {
    task.work_dir = *std::move(directory);
    return task;
  }
  if (const auto good = check_repository(*directory); !good) return std::unexpected(good.error());
  task.repository = *std::move(directory);
  return task;
}

// Under this slug: its directories first, so that no task is without the one that it works in.
aio::Task<base::Result<store::Assignment>> add_as(Process& process, store::Assignment task, std::string slug) {
  task.slug = std::move(slug);
  const auto directory = task_directory(process.settings, task.slug);
  task.brief = directory + "/brief.md";
  const bool own = task.work_dir.empty() && task.repository.empty();
  if (own) task.work_dir = directory + "/workspace";
  if (!task.repository.empty()) task.work_dir = directory + "/worktree";  // made when its agent is started
  aio::Offload blocking(1);
  auto make = [&] {
    auto made = make_directory(task.work_dir);
    std::error_code ec;
    if (const auto whole = fs::canonical(task.work_dir, ec); made && !ec) task.work_dir = whole.string();
    return made;
  };
  if (own)
    if (const auto made = co_await blocking.run(make); !made) co_return std::unexpected(made.error());
  auto added = co_await process.store->add_assignment(task);
  if (!added) co_return added;
  auto write = [&] { return make_task_files(*added); };
  if (const auto made = co_await blocking.run(write); !made)
    warn("the task is there, but not its brief: " + made.error().message);
  co_return added;
}

// Whether a task has the word as its slug or alias.
aio::Task<bool> is_taken(Process& process, std::string word) {
  const auto found = co_await process.store->find_assignment(word);
  co_return found && (found->slug == word || found->alias == word);
}

aio::Task<Checked<store::Assignment>> add_task(Process& process, store::Assignment task, std::string slug) {
  if (!task.alias.empty() && co_await is_taken(process, task.alias))
    co_return refuse(kFailed, "a task is named '" + task.alias + "' already; choose another --alias");
  const bool chosen = !slug.empty();
  const auto base_slug = chosen ? slug : slug_of(task.name);
  for (int count = 1; count <= (chosen ? 1 : kSlugsMax); ++count) {
    auto candidate = numbered_slug(base_slug, count);
    const bool taken = candidate == task.alias || co_await is_taken(process, candidate);
    if (taken) continue;
    auto added = co_await add_as(process, task, std::move(candidate));
    if (added) co_return *std::move(added);
    if (added.error().code != base::Errc::conflict) co_return refuse(kFailed, added.error().message);
  }
  if (chosen)
    co_return refuse(kFailed, "a task is named '" + slug + "' already (`outlast task show " + slug + "`); choose another --slug");
  co_return refuse(kFailed, "too many tasks are named like '" + base_slug + "'; choose a --slug or another --alias");
}

void print_task(const store::Assignment& task, const std::string& said, bool json) {
  if (json)
    put_line(base::to_text(task_json(task)));
  else
    put_line(out_is_terminal() ? harmless(said) : said);
}

aio::Task<int> add(Process& process, const store::Assignment& wanted, const TaskAddOptions& options) {
  const auto task = co_await add_task(process, wanted, options.slug);
  if (!task) co_return complain(task.error());
  print_task(*task,
             "Added " + task->slug + "\n  Work directory: " + task->work_dir + worktree_note(*task) + "\n  Brief:          " + task->brief +
                 "\n  Start it:       outlast task do " + task->slug,
             options.json);
  co_return kOk;
}

}  // namespace

int run_task_add(const TaskAddOptions& options) {
  const auto task = wanted_task(options);
  if (!task) return complain(task.error());
  return with_store([&](Process& process) { return add(process, *task, options); });
}

}  // namespace cli
