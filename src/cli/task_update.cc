#include "cli/task_update.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/json.h"
#include "cli/store_command.h"
#include "cli/task_desk.h"
#include "cli/task_view.h"
#include "cli/task_words.h"
#include "cli/task_worktree.h"

namespace cli {

namespace json = boost::json;

namespace {

using store::AssignmentStatus;

void print_task(const store::Assignment& task, const std::string& said, bool json) {
  const auto text = json ? base::to_text(task_json(task)) : said;
  put_line(out_is_terminal() ? harmless(text) : text);
}

// One line of text from the option to the task; `changed` gets what it was and is.
Checked<> put_text(const std::optional<std::string>& option, std::string_view what, std::string& field, json::object& changed) {
  if (!option) return {};
  auto text = task_text(*option, what);
  if (!text) return std::unexpected(text.error());
  if (*text == field) return {};
  changed[what] = json::object{{"from", field}, {"to", *text}};
  field = *std::move(text);
  return {};
}

// With the options checked: what they say, in the words that are stored.
Checked<TaskUpdateOptions> checked(TaskUpdateOptions options) {
  if (options.name && options.name->find_first_not_of(" \t\n") == std::string::npos)
    return refuse(kUsage, "the name is empty: say what is to be done");
  if (options.alias && !options.alias->empty() && !is_slug(*options.alias))
    return refuse(kUsage, "--alias " + *options.alias + ": write 1 to 64 of a-z, 0-9 and -, beginning with a letter or digit");
  if (options.priority) {
    auto priority = task_priority(*options.priority);
    if (!priority) return std::unexpected(priority.error());
    options.priority = *std::move(priority);
  }
  if (options.due) {
    auto due = task_due(*options.due, base::SystemClock().wall_ms());
    if (!due) return std::unexpected(due.error());
    options.due = *std::move(due);
  }
  for (const auto& [flag, command] : {std::pair("--check", &options.check), std::pair("--notify", &options.notify)}) {
    if (!*command) continue;
    auto whole = task_command(**command, flag);
    if (!whole) return std::unexpected(whole.error());
    *command = *std::move(whole);
  }
  for (auto* words : {&options.tags, &options.untags}) {
    auto tags = task_tags(*words);
    if (!tags) return std::unexpected(tags.error());
    *words = *std::move(tags);
  }
  if (options.archive && options.unarchive) return refuse(kUsage, "--archive and --unarchive are mutually exclusive");
  const bool any = options.name || options.alias || options.project || options.priority || options.due || options.assignee ||
                   options.waiting_on || options.check || options.notify || !options.tags.empty() || !options.untags.empty() || options.archive || options.unarchive;
  if (!any) return refuse(kUsage, "nothing to change; see `outlast task update --help`");
  return options;
}

void put_command(const std::optional<std::string>& option, std::string_view what, std::string& field, json::object& changed) {
  if (!option || *option == field) return;
  changed[what] = json::object{{"from", field}, {"to", *option}};
  field = *option;
}

void put_tags(const TaskUpdateOptions& options, store::Assignment& task, json::object& changed) {
  const auto before = task.tags;
  std::erase_if(task.tags,
                [&options](const std::string& tag) { return std::ranges::find(options.untags, tag) != options.untags.end(); });
  for (const auto& tag : options.tags)
    if (std::ranges::find(task.tags, tag) == task.tags.end()) task.tags.push_back(tag);
  if (task.tags == before) return;
  changed["tags"] =
      json::object{{"from", json::array(before.begin(), before.end())}, {"to", json::array(task.tags.begin(), task.tags.end())}};
}

Checked<> apply(const TaskUpdateOptions& options, store::Assignment& task, TaskEntries& entries) {
  struct Text {
    std::string_view what;
    const std::optional<std::string>& option;
    std::string& field;
  };
  if (options.alias && *options.alias == task.slug) return refuse(kUsage, "--alias is the slug already");
  json::object changed;
  for (const auto& text : {Text{"name", options.name, task.name}, Text{"alias", options.alias, task.alias},
                           Text{"project", options.project, task.project}, Text{"priority", options.priority, task.priority},
                           Text{"due", options.due, task.due}, Text{"assignee", options.assignee, task.assignee},
                           Text{"waiting_on", options.waiting_on, task.waiting_on}})
    if (auto good = put_text(text.option, text.what, text.field, changed); !good) return good;
  put_command(options.check, "check", task.check, changed);
  put_command(options.notify, "notify", task.notify, changed);
  put_tags(options, task, changed);
  const bool archived = options.archive || (task.archived && !options.unarchive);
  if (archived != task.archived) changed["archived"] = json::object{{"from", task.archived}, {"to", archived}};
  task.archived = archived;
  if (!changed.empty()) entries.push_back({.type = "updated", .data = base::to_text(changed)});
  return {};
}

aio::Task<int> update(Process& process, const TaskUpdateOptions& options) {
  const auto task = co_await find_task(process, options.task);
  if (!task) co_return complain(task.error());
  const TaskChange change = [&options](store::Assignment& changed, TaskEntries& entries) {
    return apply(options, changed, entries);
  };
  const auto changed = co_await change_task(process, *task, change);
  if (!changed) co_return complain(changed.error());
  if (options.archive) co_await tidy_worktree_of(process, *changed);
  print_task(*changed, "Updated " + changed->slug, options.json);
  co_return kOk;
}

Checked<> reopen_done(store::Assignment& task, TaskEntries& entries) {
  if (task.status != AssignmentStatus::done) return {};
  const json::object what{{"from", store::name(task.status)}, {"to", store::name(AssignmentStatus::in_progress)}};
  task.status = AssignmentStatus::in_progress;
  entries.push_back({.type = "status", .data = base::to_text(what)});
  return {};
}

aio::Task<int> reopen(Process& process, const TaskReopenOptions& options) {
  const auto task = co_await find_task(process, options.task);
  if (!task) co_return complain(task.error());
  if (task->status != AssignmentStatus::done) {
    print_task(*task, task->slug + " is not done: " + std::string(store::name(task->status)), options.json);
    co_return kOk;
  }
  const TaskChange change = reopen_done;
  const auto changed = co_await change_task(process, *task, change);
  if (!changed) co_return complain(changed.error());
  print_task(*changed, "Reopened " + changed->slug + "; `outlast task do " + changed->slug + "` goes on with it", options.json);
  co_return kOk;
}

}  // namespace

int run_task_update(const TaskUpdateOptions& options) {
  const auto good = checked(options);
  if (!good) return complain(good.error());
  return with_store([&good](Process& process) { return update(process, *good); });
}

int run_task_reopen(const TaskReopenOptions& options) {
  return with_store([&options](Process& process) { return reopen(process, options); });
}

}  // namespace cli
