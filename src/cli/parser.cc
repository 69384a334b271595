#include "cli/parser.h"

#include "cli/agent.h"
#include "cli/approve.h"
#include "cli/attach.h"
#include "cli/cancel.h"
#include "cli/chat.h"
#include "cli/flow.h"
#include "cli/fork.h"
#include "cli/logs.h"
#include "cli/ls.h"
#include "cli/option_parser.h"
#include "cli/play.h"
#include "cli/resume.h"
#include "cli/rm.h"
#include "cli/run_app.h"
#include "cli/serving_commands.h"
#include "cli/show.h"
#include "cli/task_commands.h"
#include "cli/team_commands.h"
#include "cli/wait.h"
#include "cli/watching_commands.h"

namespace cli {

namespace {

int agent(const Words& words) {
  AgentOptions o;
  o.command.emplace_back("outlast");
  o.command.emplace_back("agent");
  o.command.insert(o.command.end(), words.begin(), words.end());
  Parser p(
      "agent", "[MODEL] PROMPT [OPTIONS]",
      "Starts an agent run in a process of its own and shows it. Ctrl-C detaches (the run goes on); a second one cancels it.\n"
      "MODEL is provider/model[-effort], e.g. openai/gpt-5.1-high, anthropic/claude-opus-4-7, demo/story (scripted, offline);\n"
      "it may be left out with -a, -r, -c, or default_model in config.yaml. PROMPT '-' is read from standard input.",
      "Examples:\n  outlast agent demo/story \"Tell me a story\"\n  outlast agent openai/gpt-5.1 \"Audit ./src\" --background "
      "--json\n"
      "  outlast agent -r b7f2a1 \"Which gaps are worst?\"");
  // Three single texts instead of a list: the library splits a list's item that looks like [a,b].
  std::string texts[3];
  CLI::Option* given[3];
  for (int i = 0; i < 3; ++i) given[i] = p.app.add_option("word" + std::to_string(i + 1), texts[i])->group("");
  p.app.add_option("-a,--agent", o.profile, "profile of .outlast/agents: model, system prompt, tools")->option_text("NAME");
  p.app.add_option("-r,--resume", o.resume, "continue this branch (or a run's)")->option_text("ID");
  p.app.add_flag("-c,--continue-last", o.continue_last, "continue the branch used last in this project");
  p.app.add_flag("--background", o.background, "leave it running; print its ids");
  p.app.add_flag("--json", o.json, "one JSON object: at once with --background, else when the run has ended");
  p.app.add_option("--effort", o.effort, "none, minimal, low, medium, high, xhigh or max")->option_text("LEVEL");
  p.app.add_option("--cwd", o.cwd, "work directory of the run")->option_text("DIR");
  p.app.add_option("--timeout", o.timeout_s, "end the run after this long")->option_text("SECONDS");
  p.app.add_option("--recovery", o.recovery, "if its process dies: resume (default), retry, ask, fail or continue-with-partial")
      ->option_text("POLICY");
  p.app.add_option("--tools", o.tools, "tools it may use, e.g. Read,Grep; or none (default: Read,Glob,Grep)")
      ->option_text("LIST");
  p.app.add_flag("--yolo", o.yolo, "may change files (Write,Edit), and nothing needs an approval");
  p.app.add_option("--system", o.system, "system prompt")->option_text("TEXT");
  p.app.add_flag("-v,--verbose", o.verbose, "tell tool calls and thinking on stderr, terminal or not");
  if (const auto code = p.parse(words)) return *code;
  for (int i = 0; i < 3; ++i)
    if (given[i]->count()) o.words.push_back(texts[i]);
  return run_agent(o);
}

void add_app_options(CLI::App& app, AppOptions& o) {
  app.add_option("file", o.file, "app.yaml, or a profile (.md)")->required()->option_text("APP");
  app.add_option("-a,--agent", o.agent, "which of its agents (default: the session's, else the entry agent)")->option_text("ID");
  app.add_option("-r,--resume", o.resume, "continue this session (id, prefix, or a run's)")->option_text("ID");
  app.add_flag("-c,--continue-last", o.continue_last, "continue the session used last in this project");
  app.add_option("--session", o.session, "continue the session of exactly this id, or begin it")->option_text("ID");
  app.add_option("--cwd", o.cwd, "work directory (default: runtime.workdir, else this one)")->option_text("DIR");
  app.add_option("--timeout", o.timeout_s, "end a run after this long (default: runtime.timeout)")->option_text("SECONDS");
  app.add_option("--recovery", o.recovery, "if its process dies: resume (default), retry, ask, fail or continue-with-partial")
      ->option_text("POLICY");
}

int run(const Words& words) {
  RunAppOptions o;
  o.command = {"outlast", "run"};
  o.command.insert(o.command.end(), words.begin(), words.end());
  Parser p(
      "run", "APP [MESSAGE] [OPTIONS]",
      "Runs an agent of an app file in a process of its own and shows it. Ctrl-C detaches (the run goes on); a second one\n"
      "cancels it. MESSAGE '-' is read from standard input. Keys stay in the app file and the environment.",
      "Examples:\n  outlast run app.yaml \"What changed today?\"\n  outlast run app.yaml --input topic=DNS --background --json");
  add_app_options(p.app, o.app);
  p.app.add_option("message", o.message)->group("");
  p.app.add_option("--input", o.app.inputs, "the value of {{input.KEY}}; may be repeated")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
  p.app.add_flag("--background", o.background, "leave it running; print its ids");
  p.app.add_flag("--json", o.json, "one JSON object: at once with --background, else when the run has ended");
  p.app.add_flag("-v,--verbose", o.verbose, "tell tool calls and thinking on stderr, terminal or not");
  if (const auto code = p.parse(words)) return *code;
  return run_run_app(o);
}

int play(const Words& words) {
  PlayOptions o;
  // What follows the name of a playbook is for its own flags, which are known when it has been read.
  if (!words.empty() && !words[0].starts_with('-') && words[0] != "list" && words[0] != "check") {
    o.name = words[0];
    o.words.assign(words.begin() + 1, words.end());
    return run_play(o);
  }
  Parser p(
      "play", "list [--json] | check NAME|FILE [--json]",
      "Lists the playbooks that can be found here, or says what is wrong with one and what it would start.\n"
      "A playbook is NAME.playbook.yaml in .outlast/playbooks of the git root, of a directory from here upward, or of the home.",
      "Examples:\n  outlast play list\n  outlast play check audit");
  p.app.add_option("action", o.name, "list or check")->required();
  p.app.add_option("playbook", o.target, "to check: a name, or a file's path");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_play(o);
}

int chat(const Words& words) {
  ChatOptions o;
  Parser p(
      "chat", "APP [OPTIONS]",
      "Talks with an agent of an app file: each line is a message, each answer a run of one session. Ctrl-C cancels an answer.");
  add_app_options(p.app, o.app);
  p.app.add_flag("-v,--verbose", o.verbose, "tell tool calls and thinking on stderr, terminal or not");
  if (const auto code = p.parse(words)) return *code;
  return run_chat(o);
}

int ls(const Words& words) {
  LsOptions o;
  Parser p("ls", "[OPTIONS]", "Lists runs, newest first. * is live; ! is live and waits for an executor.");
  p.app.add_flag("--all", o.all, "every run");
  p.app.add_flag("--tasks", o.tasks, "background tasks too");
  p.app.add_option("-n", o.count, "how many (default 20)")->option_text("N");
  p.app.add_option("--status", o.status, "pending, running, paused, completed, error or cancelled")->option_text("S");
  p.app.add_option("--session", o.session, "of this branch only")->option_text("ID");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_ls(o);
}

int show(const Words& words) {
  ShowOptions o;
  Parser p("show", "ID [--json]", "Shows one run: status and cause, what it waits for, usage, and what it said.");
  p.app.add_option("id", o.id, "run or branch")->required();
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_show(o);
}

int logs(const Words& words) {
  LogsOptions o;
  Parser p("logs", "ID [-f] [--from N] [--json]", "Prints a run's events, one a line, each with its index.");
  p.app.add_option("id", o.id, "run or branch")->required();
  p.app.add_flag("-f,--follow", o.follow, "go on until the run ends, whoever executes it");
  p.app.add_option("--from", o.from, "begin with this event")->option_text("N");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_logs(o);
}

int attach(const Words& words) {
  AttachOptions o;
  Parser p("attach", "ID [OPTIONS]",
           "Shows a run as its own terminal would, until it ends. Ctrl-C detaches, a second one cancels the run.");
  p.app.add_option("id", o.id, "run or branch")->required();
  p.app.add_option("--from", o.from, "show nothing before this event")->option_text("N");
  p.app.add_flag("-v,--verbose", o.verbose, "tell tool calls and thinking on stderr, terminal or not");
  p.app.add_flag("--json", o.json, "one JSON object when the run has ended");
  if (const auto code = p.parse(words)) return *code;
  return run_attach(o);
}

int wait(const Words& words) {
  WaitOptions o;
  Parser p(
      "wait", "ID... [OPTIONS]",
      "Waits until the runs have ended and prints a line for each: id, status, reason, artifact_dir, exit_code (tabs between).\n"
      "Exits with 0 when all completed, 1 when some did not, 2 for an unknown id, 3 when it was interrupted or timed out.");
  p.app.add_option("id", o.ids, "runs or branches")->required();
  p.app.add_option("--timeout", o.timeout_s, "give up waiting after this long")->option_text("SECONDS");
  p.app.add_option("--interval", o.interval_s, "look at least this often (default 0.5)")->option_text("SECONDS");
  p.app.add_flag("--json", o.json, "one JSON object a line");
  if (const auto code = p.parse(words)) return *code;
  return run_wait(o);
}

int cancel(const Words& words) {
  CancelOptions o;
  Parser p("cancel", "ID... [--json]", "Cancels runs and answers when they have ended.");
  p.app.add_option("id", o.ids, "runs or branches")->required();
  p.app.add_flag("--json", o.json, "one JSON object a line");
  if (const auto code = p.parse(words)) return *code;
  return run_cancel(o);
}

int fork(const Words& words) {
  ForkOptions o;
  Parser p("fork", "RUN[@EVENT] [--json]",
           "Makes a branch that remembers what a run had said, up to and with an event (default: all of them).",
           "Example:\n  outlast fork 20260420T140312@41\n  outlast agent -r NEW_BRANCH \"Try the other way\"");
  p.app.add_option("run", o.point, "run or branch, and the index of an event")->required();
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_fork(o);
}

int rm(const Words& words) {
  RmOptions o;
  Parser p("rm", "ID... [--force] [--json]", "Removes finished runs with their events and files.");
  p.app.add_option("id", o.ids, "runs or branches")->required();
  p.app.add_flag("--force", o.force, "cancel those that are live first");
  p.app.add_flag("--json", o.json, "one JSON object a line");
  if (const auto code = p.parse(words)) return *code;
  return run_rm(o);
}

int resume(const Words& words) {
  ResumeOptions o;
  Parser p("resume", "--all | ID... [--json]",
           "Starts executors for runs whose own are gone, e.g. after a reboot. They go on where they were.");
  p.app.add_option("id", o.ids, "runs or branches");
  p.app.add_flag("--all", o.all, "every run that waits for an executor");
  p.app.add_flag("--json", o.json, "one JSON object a line");
  if (const auto code = p.parse(words)) return *code;
  return run_resume(o);
}

int approve(const Words& words) {
  ApproveOptions o;
  Parser p("approve", "ID [--answer TEXT | --reject] [--note TEXT] [--json]",
           "Decides the tool calls that a paused run waits for, or answers its question; the run goes on.");
  p.app.add_option("id", o.id, "run or branch")->required();
  p.app.add_flag("--reject", o.reject, "refuse them; the model is told");
  p.app.add_option("--note,--answer", o.note, "what the model is told with a refusal; the answer to its question")
      ->option_text("TEXT");
  p.app.add_flag("--json", o.json, "one JSON object a line");
  if (const auto code = p.parse(words)) return *code;
  return run_approve(o);
}

constexpr Command kCommands[] = {
    {"agent", Group::run, "start an agent run, and show it or leave it in the background", agent},
    {"run", Group::run, "run an app's agent: app.yaml \"MESSAGE\"", run},
    {"play", Group::run, "list playbooks, and check them", play},
    {"chat", Group::run, "talk with an app's agent", chat},
    {"flow", Group::run, "plan a graph of agents for a task, and run it", flow},
    {"fanout", Group::run, "give a task's parts to several agents at once", fanout},
    {"task", Group::run, "named tasks for coding agents (claude, codex ...): add, do, show, list, done", task},
    {"ls", Group::look, "list runs", ls},
    {"show", Group::look, "show one run: status, cause, usage, result", show},
    {"status", Group::look, "how it stands with a run: who executes it, what it waits for", status},
    {"monitor", Group::look, "a table of what goes on; -w repaints it", monitor},
    {"logs", Group::look, "print a run's events; -f follows it live", logs},
    {"attach", Group::look, "show a run as its own terminal would", attach},
    {"wait", Group::look, "wait until runs have ended", wait},
    {"cancel", Group::steer, "cancel runs", cancel},
    {"kill", Group::steer, "end runs with all that they have started, and their processes", kill},
    {"team", Group::steer, "teams whose members write to each other: create, list, show, send, receive", team},
    {"approve", Group::steer, "decide the tool calls a paused run waits for", approve},
    {"fork", Group::steer, "branch off from any event of a run", fork},
    {"resume", Group::steer, "start executors for runs whose own are gone", resume},
    {"rm", Group::steer, "remove finished runs", rm},
    {"check", Group::serve, "check app files and profiles: problems, agents, tools", check},
    {"serve", Group::serve, "serve agents over HTTP", serve},
    {"mcp", Group::serve, "offer durable background work to an MCP client", mcp},
    {"service", Group::serve, "run the server as a systemd user unit", service},
    {"doctor", Group::system, "check home, disk, database and providers", doctor},
    {"completion", Group::system, "print a completion script for bash, zsh or fish", completion},
    {"o", Group::hidden, "", orchestrate},
    {"orchestrate", Group::hidden, "", orchestrate},
    {"execute", Group::hidden, "", execute},
    {"shim", Group::hidden, "", shim},
    {"__ids", Group::hidden, "", ids},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace cli
