#include "cli/task_turn.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/store_command.h"
#include "engine/harness_events.h"
#include "engine/launch.h"

namespace cli {

namespace {

constexpr std::string_view kMarker = "[via outlast task do --with]";
constexpr std::size_t kTitleCodePoints = 30;

// What of the caller's surroundings decides which agent, account and repository it is. No secrets: those are never written down.
constexpr std::string_view kKept[] = {"PATH", "HOME", "LANG", "TERM", "TZ", "TMPDIR", "IS_SANDBOX", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "ANTHROPIC_BASE_URL",
                                      "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"};

std::vector<std::string> kept_environment(const Settings& settings) {
  std::vector<std::string> kept;
  for (const auto name : kKept)
    if (const auto value = settings.environment(name)) kept.push_back(std::string(name) + "=" + *value);
  kept.push_back("OUTLAST_HOME=" + settings.home);
  return kept;
}

std::string prompt_of(const store::Assignment& task, const Turn& turn, bool resumes) {
  if (!resumes) return bootstrap_prompt(task, turn.unattended) + (turn.text.empty() ? "" : "\n\n" + marked(turn.text));
  if (!turn.text.empty()) return marked(turn.text);
  if (turn.background) return "";  // brought back, and waits for a word
  return "Go on with the task " + task.slug + ". Look at its brief and its updates first, and at what has been done already.";
}

std::string own_session(Process& process) {
  return run::harness_message_id(base::hex(process.random, 32), "session");  // a UUID, which some harnesses insist on
}

aio::Task<bool> has_messages(Process& process, store::SessionNumber session) {
  for (const auto& notice : co_await process.store->notices(session))
    if (engine::message_of(notice)) co_return true;
  co_return false;
}

}  // namespace

std::string marked(const std::string& text) { return std::string(kMarker) + "\n" + text; }

std::string bootstrap_prompt(const store::Assignment& task, bool unattended) {
  std::string words = "You work on the task " + task.slug + ". Its brief is " + task.brief +
                      "; read it first, then the updates in the directory updates beside it, then what the project says about itself, then CLAUDE.md or "
                      "AGENTS.md in the working directory. Work in the present directory. Ask when something is unclear.";
  if (unattended)
    words = "You work on the task " + task.slug + ". Its brief is " + task.brief +
            "; read it first, then the updates in the directory updates beside it, then CLAUDE.md or AGENTS.md in the working directory. Nobody can answer you: "
            "decide yourself, be careful with everything that reaches beyond this directory, and do not publish anything. When the work is complete run: "
            "outlast task done " + task.slug + " - otherwise leave a note in the updates directory that says what is missing.";
  // No shell and no terminal reads them, but people paste them.
  std::erase_if(words, [](char c) { return c == '"' || c == '\'' || c == '`' || c == '$'; });
  return words;
}

std::string agent_title(const store::Assignment& task) {
  return one_line(task.project.empty() ? task.slug : task.project + "/" + task.slug, kTitleCodePoints);
}

aio::Task<std::optional<store::Run>> newest_run(Process& process, const store::Assignment& task) {
  if (task.run_id.empty()) co_return std::nullopt;
  co_return co_await present(process, task.run_id);
}

aio::Task<Checked<LaunchedTurn>> launch_turn(Process& process, store::Assignment task, Turn turn, store::OwnerNumber owner) {
  const auto before = co_await newest_run(process, task);
  const bool resumes = !turn.fresh && !task.session_id.empty();
  run::HarnessSpec spec;
  spec.harness = turn.harness->name();
  spec.task = task.slug;
  spec.title = agent_title(task);
  spec.resumes = resumes;
  spec.background = turn.background;
  spec.unattended = turn.unattended;
  spec.skip_permissions = turn.skip_permissions || turn.unattended;
  spec.environment = kept_environment(process.settings);
  spec.limits = process.settings.config.harness;
  spec.repository = task.repository;
  // What a background agent does after its start is not Outlast's to follow.
  if (!turn.background) spec.notify = task.notify;
  if (!task.check.empty() && !turn.background && !turn.closes) spec.check = {"/bin/sh", "-c", task.check};
  if (resumes)
    spec.session_id = task.session_id;
  else if (turn.harness->capabilities().pins_id && !turn.background)
    spec.session_id = own_session(process);
  engine::LaunchRequest request;
  request.spec.harness = spec;
  request.spec.provider = spec.harness == "gemini" ? "gemini-code" : spec.harness;  // as model specs write it
  // A message that no turn has taken is what this one begins with.
  const bool told = turn.text.empty() && resumes && before && !turn.background && co_await has_messages(process, before->session);
  request.spec.input = told ? "" : prompt_of(task, turn, resumes);
  request.spec.work_directory = task.work_dir;
  request.spec.limits.timeout_ms = turn.limit_ms;
  request.spec.limits.approval_ms = turn.approval_ms;
  request.spec.limits.tokens = turn.tokens_max;
  request.spec.limits.cost_micros = turn.cost_micros_max;
  request.spec.wakes = false;
  request.kind = store::kKindHarness;
  request.component_id = request.component_name = turn.harness->name();
  // The conversation is one session here too: the one that the last turn was in.
  if (resumes && before)
    request.session_id = before->session_id;
  else
    request.session_id = !spec.session_id.empty() ? spec.session_id : own_session(process);
  request.session_name = task.slug;
  request.origin = "command";
  request.launch_key = "task\x1f" + task.slug + "\x1f" + std::to_string(task.number) + "\x1f" + std::to_string(task.starts + 1);
  request.request_digest = base::sha256_hex(task.slug);
  const auto launched = co_await process.store->launch(engine::make_launch(request, process.time, process.random, owner));
  if (launched.known == store::Known::no_room) co_return refuse(kFailed, "too many runs wait already; see `outlast ls`");
  base::failpoint("task.after_launch");
  const auto starts = task.starts + 1;
  const auto run_id = launched.run.run_id;
  if (task.run_id != run_id) {
    const TaskChange note_start = [&](store::Assignment& one, TaskEntries& entries) -> Checked<> {
      if (one.starts >= starts) return {};  // another command that found the same run has noted it
      boost::json::object entry{{"run_id", run_id}, {"harness", turn.harness->name()}};
      if (resumes) entry["resumes"] = one.session_id;
      entries.push_back({.type = "started", .data = base::to_text(entry)});
      if (turn.fresh && !one.session_id.empty())
        entries.push_back({.type = "discarded", .data = base::to_text(boost::json::object{{"session_id", one.session_id}})});
      one.starts = starts;
      one.run_id = run_id;
      one.unattended = turn.unattended;
      if (turn.fresh) one.session_id.clear(), one.session_started_ms = one.session_resumed_ms = 0;
      return {};
    };
    auto changed = co_await change_task(process, task, note_start);
    if (!changed) co_return std::unexpected(changed.error());
    task = *std::move(changed);
  }
  co_return LaunchedTurn{launched.run, std::move(task), launched.known == store::Known::fresh};
}

aio::Task<std::string> leave_message(Process& process, const store::Run& run, const std::string& text) {
  const auto id = own_session(process);
  co_await process.store->add_notice(run, std::string(store::kNoticeMessage), engine::message_detail(id, text));
  co_return id;
}

aio::Task<bool> waits(Process& process, store::SessionNumber session, std::string message_id) {
  for (const auto& notice : co_await process.store->notices(session))
    if (const auto message = engine::message_of(notice); message && message->task_id == message_id) co_return true;
  co_return false;
}

}  // namespace cli
