#include "cli/task_do.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "cli/claude_transcript.h"
#include "cli/request_parts.h"
#include "cli/store_command.h"
#include "cli/task_sessions.h"

namespace cli {

namespace {

constexpr std::string_view kBoth = "--with and --with-file are mutually exclusive";
constexpr std::string_view kBackgroundAndAuto = "$OUTLAST_TERM=bg cannot be combined with --auto (both spawn their own session; pick one)";

// What the agent is told; "": nothing.
Checked<std::string> text_of(const TaskDoOptions& options) {
  if (options.with && options.with_file) return refuse(kUsage, std::string(kBoth));
  if (options.with) {
    const auto text = std::string(base::trim(*options.with));
    if (text.empty()) return refuse(kUsage, "--with: the text is empty; write what the agent is to be told");
    return text;
  }
  if (!options.with_file) return std::string();
  if (base::trim(*options.with_file).empty()) return refuse(kUsage, "--with-file: the path is empty; name the file with the instructions");
  std::error_code ec;
  const auto path = std::filesystem::absolute(*options.with_file, ec).lexically_normal();
  if (ec || !std::filesystem::is_regular_file(path, ec)) return refuse(kFailed, "--with-file: there is no file " + path.string());
  if (access(path.c_str(), R_OK) != 0) return refuse(kFailed, "--with-file: " + path.string() + " cannot be read");
  return "read instructions at " + path.string();
}

// The pin, else the flag, else the one whose session this is, else claude.
Checked<const harness::Harness*> harness_of(const Settings& settings, const store::Assignment& task, const std::string& flag) {
  const auto known = [](const std::string& name) -> Checked<const harness::Harness*> {
    if (const auto* found = harness::find(name)) return found;
    return refuse(kFailed, "no harness '" + name + "'; there are: " + harness::known_names());
  };
  if (!task.harness.empty() && !flag.empty() && flag != task.harness)
    return refuse(kFailed, "task '" + task.slug + "' is pinned to " + task.harness + "; to change that bind a session of " + flag + " with --here --force");
  if (!task.harness.empty()) return known(task.harness);
  if (!flag.empty()) return known(flag);
  const harness::Harness* inside = nullptr;
  int inside_of = 0;
  for (const auto* one : harness::all())
    if (const auto sid = settings.environment(one->session_variable()); !one->session_variable().empty() && sid && !sid->empty()) inside = one, ++inside_of;
  return inside_of == 1 ? inside : harness::all().front();
}

// Binds the session that this command runs in; starts nothing.
aio::Task<int> bind_here(Process& process, store::Assignment task, const TaskDoOptions& options) {
  const harness::Harness* inside = nullptr;
  std::string sid;
  for (const auto* one : harness::all()) {
    const auto value = one->session_variable().empty() ? std::nullopt : process.settings.environment(one->session_variable());
    if (!value || value->empty() || (!options.harness.empty() && options.harness != one->name())) continue;
    if (inside) co_return complain(kFailed, "the sessions of " + std::string(inside->name()) + " and " + std::string(one->name()) + " are both around this command; say which with --harness");
    inside = one;
    sid = *value;
  }
  if (!inside) co_return complain(kFailed, "--here: this is no session of a coding agent; without --here `outlast task do " + task.slug + "` starts one");
  if (!task.session_id.empty() && task.session_id != sid && !options.force)
    co_return complain(kFailed, "task '" + task.slug + "' is bound to session " + task.session_id + "; --here --force binds this one in its place");
  if (!task.harness.empty() && task.harness != inside->name() && !options.force)
    co_return complain(kFailed, "task '" + task.slug + "' is pinned to " + task.harness + "; --here --force changes that");
  const auto bound = co_await bind_task(process, std::move(task), sid, std::string(inside->name()), "here");
  if (!bound) co_return complain(bound.error());
  say_done(*bound, "bound", "Bound " + task.slug + " to this session (" + sid + ")", "", options.json);
  co_return kOk;
}

// A task that is done is left alone, unless somebody has something to say to it.
aio::Task<Checked<store::Assignment>> reopened(Process& process, store::Assignment task, bool has_text, bool background) {
  if (task.status != store::AssignmentStatus::done) co_return task;
  if (!has_text || background) co_return refuse(kFailed, "task '" + task.slug + "' is done; reopen it first: outlast task reopen " + task.slug);
  const TaskChange reopen = [](store::Assignment& one, TaskEntries& entries) -> Checked<> {
    one.status = store::AssignmentStatus::in_progress;
    entries.push_back({.type = "status", .data = R"({"from":"done","to":"in-progress"})"});
    return {};
  };
  auto changed = co_await change_task(process, std::move(task), reopen);
  if (changed) note("task '" + changed->slug + "' was done; it is in progress again");
  co_return changed;
}

// A budget that could not be kept is refused.
Checked<> set_budgets(const TaskDoOptions& options, Turn& turn) {
  if (!options.tokens_max && !options.cost_max) return {};
  if (turn.background) return refuse(kUsage, "--max-tokens and --max-cost cannot be combined with $OUTLAST_TERM=bg: what such an agent uses is not known");
  turn.tokens_max = options.tokens_max;
  if (!options.cost_max) return {};
  const auto limit = cost_limit(*options.cost_max);
  if (!limit) return std::unexpected(limit.error());
  if (!turn.harness->capabilities().costs)
    return refuse(kUsage, "--max-cost: " + std::string(turn.harness->name()) + " does not tell what it costs; give it a budget in tokens (--max-tokens)");
  turn.cost_micros_max = *limit;
  return {};
}

}  // namespace

aio::Task<int> task_do(Process& process, TaskDoOptions options) {
  const auto text = text_of(options);
  if (!text) co_return complain(text.error());
  const bool background = in_background_mode(process.settings);
  if (options.here && (!text->empty() || options.unattended)) co_return complain(kUsage, "--here starts nothing: it cannot be combined with --with, --with-file or --auto");
  if (options.session && (options.here || options.fresh || background)) co_return complain(kUsage, "--session brings back a session that is there: it cannot be combined with --here, --fresh or $OUTLAST_TERM=bg");
  if (background && options.unattended) co_return complain(kUsage, kBackgroundAndAuto);
  if (options.approval_timeout_s && !(*options.approval_timeout_s > 0 && *options.approval_timeout_s < 1e8))
    co_return complain(kUsage, "--approval-timeout: write a number of seconds above 0");
  auto found = co_await find_task(process, options.ref);
  if (!found) co_return complain(found.error());
  if (options.here) co_return co_await bind_here(process, *std::move(found), options);
  if (options.session) {
    found = co_await take_over(process, *std::move(found), *options.session, options.force);
    if (!found) co_return complain(found.error());
  }
  const auto harness = harness_of(process.settings, *found, options.harness);
  if (!harness) co_return complain(harness.error());
  if (background && !(*harness)->background())
    co_return complain(kFailed, "$OUTLAST_TERM=bg requested a background agent, but harness \"" + std::string((*harness)->name()) +
                                    "\" has no background-session support — unset OUTLAST_TERM to start a supervised run instead");
  if (found->work_dir.empty()) co_return complain(kFailed, "task '" + found->slug + "' has no work_dir; set one: outlast task update " + found->slug + " --work-dir DIR");
  std::error_code ec;
  if (found->repository.empty() && !std::filesystem::is_directory(found->work_dir, ec))
    co_return complain(kFailed, "the work_dir of task '" + found->slug + "' is not there: " + found->work_dir);
  Turn turn{.harness = *harness, .text = *text, .fresh = options.fresh, .background = background, .unattended = options.unattended, .skip_permissions = options.skip_permissions};
  if (const auto set = set_budgets(options, turn); !set) co_return complain(set.error());
  auto task = co_await reopened(process, *std::move(found), !text->empty(), background);
  if (!task) co_return complain(task.error());
  if (options.approval_timeout_s) turn.approval_ms = std::max<std::int64_t>(1, std::llround(*options.approval_timeout_s * 1000));
  auto doing = background ? do_in_background(process, *std::move(task), std::move(turn), options.json) : do_supervised(process, *std::move(task), std::move(turn), options.json);
  co_return co_await std::move(doing);
}

void say_done(const store::Assignment& task, std::string_view word, const std::string& text, const std::string& hint, bool json) {
  if (json)
    return put_line(base::to_text(boost::json::object{{"task", task.slug}, {"outcome", word}, {"session_id", task.session_id}, {"run_id", task.run_id}, {"message", text}}));
  put_line(text);
  if (!hint.empty()) put_line("  " + hint);
}

bool has_transcript(Process& process, const store::Assignment& task) {
  // Where others keep theirs is not known here: a resume that finds none says so.
  return !keeps_transcripts(task) || transcript_path(task, process.settings).has_value();
}

int run_task_do(const TaskDoOptions& options) {
  return with_store([&options](Process& process) { return task_do(process, options); });
}

}  // namespace cli
