#include "cli/task_commands.h"

#include "cli/actions.h"
#include "cli/task_add.h"
#include "cli/task_do.h"
#include "cli/task_sessions.h"
#include "cli/task_show.h"
#include "cli/task_talk.h"
#include "cli/task_transcript.h"
#include "cli/task_update.h"

namespace cli {

namespace {

constexpr const char* kNotifyText = "a shell command to run when the agent waits for you or has ended; {status}, {task}, {payload}";
constexpr const char* kTask = "the task: its alias, its slug, or a unique beginning of it";

int add(const Words& words) {
  TaskAddOptions o;
  Parser p("task add", "NAME [OPTIONS]",
           "Makes a task and starts nothing. Without --work-dir its agent works in a directory of the task's own.",
           "Examples:\n  outlast task add \"Fix the login\" --work-dir ~/src/web --priority high --due friday\n"
           "  outlast task add \"Read the RFC\" --tag reading --tag net --harness codex");
  p.app.add_option("name", o.name, "what is to be done, in one line")->required();
  p.app.add_option("--slug", o.slug, "what commands call it (default: made from the name)")->option_text("WORD");
  p.app.add_option("--alias", o.alias, "a second, shorter word for it")->option_text("WORD");
  p.app.add_option("--project", o.project, "what it belongs to")->option_text("NAME");
  p.app.add_option("--work-dir", o.work_dir, "where its agent works: a directory that exists")->option_text("DIR");
  p.app.add_flag("--mkdir", o.make_work_dir, "make that directory where it is missing");
  p.app.add_flag("--worktree", o.worktree, "work in a git worktree of --work-dir, on a branch outlast/SLUG of the task's own");
  p.app.add_option("--check", o.check, "a shell command that must succeed before the agent's work counts as done")->option_text("COMMAND");
  p.app.add_option("--notify", o.notify, kNotifyText)->option_text("COMMAND");
  p.app.add_option("--priority", o.priority, "high, medium (default) or low")->option_text("P");
  p.app.add_option("--due", o.due, "YYYY-MM-DD, today, tomorrow, monday ... sunday, or 3d")->option_text("DAY");
  p.app.add_option("--assignee", o.assignee, "who sees to it")->option_text("NAME");
  p.app.add_option("--tag", o.tags, "a word to find it by; may be repeated")->option_text("WORD")->allow_extra_args(false);
  p.app.add_option("--harness", o.harness, "the coding agent that does it: claude, codex, gemini or opencode")
      ->option_text("NAME");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_add(o);
}

int show(const Words& words) {
  TaskShowOptions o;
  Parser p("task show", "[TASK] [--history] [--json]",
           "Shows a task, one `key: value` a line. Without TASK: the one whose session this is.\n"
           "With OUTLAST_TERM=bg it also asks the coding agent how a background session does.");
  p.app.add_option("task", o.task, kTask);
  p.app.add_flag("--history", o.history, "what has become of it so far, too");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_show(o);
}

int list(const Words& words) {
  TaskListOptions o;
  Parser p(
      "task list", "[OPTIONS]",
      "Lists tasks: high priority first, then the one that was changed last. [live]: an agent works on it, or waits.",
      "Examples:\n  outlast task list --project web --tag api\n  outlast task list --since monday --include-done --format json");
  p.app.add_option("--status", o.status, "backlog, in-progress or done")->option_text("S");
  p.app.add_option("--project", o.project, "of this project only")->option_text("NAME");
  p.app.add_option("--priority", o.priority, "high, medium or low")->option_text("P");
  p.app.add_option("--tag", o.tags, "with this tag; repeated: with all of them")->option_text("WORD")->allow_extra_args(false);
  p.app.add_option("--since", o.since, "changed since today, monday, 7d or YYYY-MM-DD")->option_text("DAY");
  p.app.add_flag("--include-done", o.include_done, "those that are done, too");
  p.app.add_flag("--include-archived", o.include_archived, "those that were put away, too");
  p.app.add_option("--format", o.format, "table (default), json or tsv")->option_text("F");
  p.app.add_flag("--no-color", o.no_color, "without colors");
  p.app.add_flag("--no-truncate", o.no_truncate, "cut nothing to fit the line");
  if (const auto code = p.parse(words)) return *code;
  return run_task_list(o);
}

int do_task(const Words& words) {
  TaskDoOptions o;
  Parser p("task do", "TASK [OPTIONS]",
           "Starts the task's agent in its own session, brings that session back, or says where it is: doing it again never makes a\n"
           "second agent. With OUTLAST_TERM=bg the agent is a background agent of the coding agent's own.",
           "Examples:\n  outlast task do fix-login\n  outlast task do fix-login --with \"Leave the session table alone\"\n"
           "  OUTLAST_TERM=bg outlast task do fix-login");
  p.app.add_option("task", o.ref, kTask)->required();
  p.app.add_option("--with", o.with, "tell it this")->option_text("TEXT");
  p.app.add_option("--with-file", o.with_file, "tell it to read the instructions in this file")->option_text("FILE");
  p.app.add_flag("--fresh", o.fresh, "end the session that it has and begin a new one");
  p.app.add_flag("--auto", o.unattended, "nobody is there: it asks nothing, may do everything, and marks the task as done itself");
  p.app.add_option("--approval-timeout", o.approval_timeout_s, "a question that waits for longer is a no (a server sees to it)")->option_text("SECONDS");
  p.app.add_option("--max-tokens", o.tokens_max, "stop it when it has used so many tokens; its session can be gone on with")->option_text("N")->check(CLI::PositiveNumber);
  p.app.add_option("--max-cost", o.cost_max, "likewise when it has used so many US dollars (claude and opencode tell)")->option_text("USD");
  p.app.add_flag("--here", o.here, "bind the session that this command runs in; start nothing");
  p.app.add_option("--session", o.session, "take over a session that was not started here, see task sessions")->option_text("ID");
  p.app.add_flag("--force", o.force, "with --here and --session: also where another session or coding agent is bound");
  p.app.add_flag("--dangerously-skip-permissions", o.skip_permissions, "it asks nobody for permissions");
  p.app.add_option("--harness", o.harness, "claude, codex, gemini or opencode; pinned at the first start")->option_text("NAME");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_do(o);
}

int send(const Words& words) {
  TaskSendOptions o;
  Parser p("task send", "TASK TEXT", "Tells the task's agent something: at once where it is at work, else by bringing it back. Delivered once.");
  p.app.add_option("task", o.ref, kTask)->required();
  p.app.add_option("text", o.text, "what it is told")->required();
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_send(o);
}

int decide_for(const Words& words, bool deny) {
  TaskDecideOptions o;
  o.deny = deny;
  Parser p(deny ? "task deny" : "task approve", "TASK [--note TEXT]",
           deny ? "Refuses what the task's agent asks for; it goes on without." : "Allows what the task's agent asks for, and lets it go on.");
  p.app.add_option("task", o.ref, kTask)->required();
  p.app.add_option("--note", o.note, "what the agent is told with it")->option_text("TEXT");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_decide(o);
}
int approve(const Words& words) { return decide_for(words, false); }
int deny(const Words& words) { return decide_for(words, true); }

int stop(const Words& words) {
  TaskStopOptions o;
  Parser p("task stop", "TASK", "Ends the task's agent with everything that it has started. Its session stays and can be brought back.");
  p.app.add_option("task", o.ref, kTask)->required();
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_stop(o);
}

int done(const Words& words) {
  TaskDoneOptions o;
  Parser p("task done", "[TASK] [--no-close-out]",
           "Marks a task as done; then its agent writes a closing update. Without TASK: the one whose session this is.");
  p.app.add_option("task", o.ref, kTask);
  p.app.add_flag("--no-close-out", o.no_close_out, "without the closing update");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_done(o);
}

int transcript(const Words& words) {
  TaskTranscriptOptions o;
  Parser p("task transcript", "[TASK] [--compact] [--json]",
           "Prints what was said and done in a task's session: of Claude Code from its own file, else from the task's runs.\n"
           "Without TASK: of the one whose session this is.");
  p.app.add_option("task", o.task, kTask);
  p.app.add_flag("--compact", o.compact, "without what tools gave, and without thinking");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_transcript(o);
}

int sessions(const Words& words) {
  TaskSessionsOptions o;
  Parser p("task sessions", "[--all] [--json]",
           "Lists the sessions of Claude Code and Codex in this home, the last one first, from their own files. `external`: no task is\n"
           "bound to it; `outlast task do TASK --session ID` takes it over.");
  p.app.add_flag("--all", o.all, "more than the last 20");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_sessions(o);
}

int update(const Words& words) {
  TaskUpdateOptions o;
  Parser p("task update", "TASK [OPTIONS]", "Changes what is written down of a task. An empty value takes one away.",
           "Examples:\n  outlast task update fix-login --due 3d --tag api\n  outlast task update fix-login --waiting-on \"\" "
           "--assignee ada\n"
           "  outlast task update fix-login --archive");
  p.app.add_option("task", o.task, kTask)->required();
  p.app.add_option("--name", o.name, "what is to be done, in one line")->option_text("TEXT");
  p.app.add_option("--alias", o.alias, "a second, shorter word for it")->option_text("WORD");
  p.app.add_option("--project", o.project, "what it belongs to")->option_text("NAME");
  p.app.add_option("--priority", o.priority, "high, medium or low")->option_text("P");
  p.app.add_option("--due", o.due, "YYYY-MM-DD, today, tomorrow, monday ... sunday, 3d, or none")->option_text("DAY");
  p.app.add_option("--assignee", o.assignee, "who sees to it")->option_text("NAME");
  p.app.add_option("--waiting-on", o.waiting_on, "who or what it waits for")->option_text("TEXT");
  p.app.add_option("--tag", o.tags, "one more tag; may be repeated")->option_text("WORD")->allow_extra_args(false);
  p.app.add_option("--untag", o.untags, "a tag that goes; may be repeated")->option_text("WORD")->allow_extra_args(false);
  p.app.add_option("--check", o.check, "a shell command that must succeed before the agent's work counts as done")->option_text("COMMAND");
  p.app.add_option("--notify", o.notify, kNotifyText)->option_text("COMMAND");
  p.app.add_flag("--archive", o.archive, "put it away: only its whole slug names it; a worktree without work in it goes");
  p.app.add_flag("--unarchive", o.unarchive, "take it out again");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_update(o);
}

int reopen(const Words& words) {
  TaskReopenOptions o;
  Parser p("task reopen", "TASK [--json]",
           "Makes a task that is done one in progress again. Its session stays bound to it; nothing is started.");
  p.app.add_option("task", o.task, kTask)->required();
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_task_reopen(o);
}

constexpr Action kActions[] = {
    {"add", "add NAME [--work-dir DIR]", "make a task; it starts nothing", add},
    {"do", "do TASK [--with TEXT]", "start its agent, bring it back, or say where it is", do_task},
    {"send", "send TASK TEXT", "tell its agent something", send},
    {"approve", "approve TASK", "allow what its agent asks for", approve},
    {"deny", "deny TASK", "refuse it", deny},
    {"stop", "stop TASK", "end its agent; the session stays", stop},
    {"done", "done [TASK]", "mark it as done, with a closing update", done},
    {"show", "show [TASK]", "one task: session, state, files", show},
    {"list", "list [--project P] [--tag T]", "tasks, the important ones first", list},
    {"ls", "", "", list},
    {"sessions", "sessions [--all]", "sessions of coding agents on this machine, external ones too", sessions},
    {"transcript", "transcript [TASK] [--compact]", "what was said in its session", transcript},
    {"update", "update TASK [--due DAY] ...", "change what is written down of it", update},
    {"reopen", "reopen TASK", "in progress again, when it was done", reopen},
};

}  // namespace

std::string task_actions() { return action_names(kActions, ' '); }

int task(const Words& words) {
  return run_action("task", kActions, words,
                    "A task is a named piece of work that a coding agent does in a session of its own: Claude Code, Codex, Gemini CLI\n"
                    "or opencode. Its session, its brief and its history are kept here, whoever started it and wherever.",
                    "outlast task add --help explains one. docs/tasks.md tells it all.");
}

}  // namespace cli
