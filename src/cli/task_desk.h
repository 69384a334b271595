#pragma once
// What the commands of `outlast task` share: which task is meant, where its files lie, and how it is changed.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "cli/process.h"
#include "store/assignment.h"

namespace cli {

// `OUTLAST_TERM` is exactly "bg": sessions are background agents of their harness, and its registry may be asked.
bool in_background_mode(const Settings& settings);

// By alias, slug or unique beginning of a slug. A failure (exit code 1) names the commands that help.
aio::Task<Checked<store::Assignment>> find_task(Process& process, std::string reference);
// The one that the session around this command is bound to: by a harness's session variable, else by OUTLAST_TASK. A failure
// (2 where there is no session, else 1) says what was looked at.
aio::Task<Checked<store::Assignment>> task_here(Process& process);
// The one that is named, else the one here.
aio::Task<Checked<store::Assignment>> task_of(Process& process, const std::optional<std::string>& reference);

// What a change makes of a task as it is now, with the entries of its history; a refusal ends it.
using TaskEntries = std::vector<store::AssignmentEntry>;
using TaskChange = std::function<Checked<>(store::Assignment& task, TaskEntries& entries)>;
// Applies it to the task as it is, again where somebody else has changed that meanwhile. `change` outlives the await.
aio::Task<Checked<store::Assignment>> change_task(Process& process, store::Assignment task, const TaskChange& change);

// <home>/tasks/SLUG; in it brief.md, updates/ and, where no other work directory was named, workspace/.
std::string task_directory(const Settings& settings, std::string_view slug);
std::string task_updates(const store::Assignment& task);
// Makes what is missing of a task's directories and writes the brief where there is none. Blocks; may be repeated.
// Errc::unavailable, with the path.
base::Result<> make_task_files(const store::Assignment& task);
base::Result<> make_directory(const std::string& path);

}  // namespace cli
