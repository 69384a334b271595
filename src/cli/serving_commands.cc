// Commands of servers and of the program itself.
#include "cli/serving_commands.h"

#include "cli/check.h"
#include "cli/completion.h"
#include "cli/doctor.h"
#include "cli/execute.h"
#include "cli/ls.h"
#include "cli/mcp.h"
#include "cli/option_parser.h"
#include "cli/serve.h"
#include "cli/service.h"
#include "process/shim.h"

namespace cli {

int serve(const Words& words) {
  ServeOptions o;
  Parser p("serve", "[FILE...] [OPTIONS]",
           "Serves agents over HTTP (AgentOS API) and executes their runs. Without files: the scripted agent 'demo'.");
  p.app.add_option("file", o.files, "app.yaml and profile (.md) files");
  p.app.add_option("--port", o.port, "default 7777; 0: any free one")->option_text("PORT");
  p.app.add_option("--host", o.host, "default 127.0.0.1; others need OS_SECURITY_KEY")->option_text("ADDRESS");
  p.app.add_option("--max-concurrent-runs", o.max_concurrent_runs, "how many runs execute at once")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  p.app.add_option("--max-pending-runs", o.max_pending_runs, "how many may wait for a place before launches are refused")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  p.app.add_option("--mcp-tools", o.mcp_tools, "what clients of /mcp may run in the background, as Bash,Read (default: nothing)")->option_text("LIST");
  p.app.add_option("--log-format", o.log_format, "text or json (default: text on a terminal)")
      ->option_text("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  p.app.add_option("--log-level", o.log_level, "debug, info, warning or error")
      ->option_text("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  if (const auto code = p.parse(words)) return *code;
  return run_serve(o);
}

int mcp(const Words& words) {
  McpOptions o;
  Parser p("mcp", "[FILE...] [OPTIONS]",
           "Offers durable background work to the MCP client that starts it, over standard input and output.",
           "Example:\n  claude mcp add outlast -- outlast mcp\nWhat it starts goes on when the client leaves; see docs/mcp.md.");
  p.app.add_option("file", o.files, "app.yaml and profile (.md) files: the agents that run_start can start");
  p.app.add_option("--cwd", o.cwd, "where tools work (default: the current directory)")->option_text("DIR");
  p.app.add_option("--session", o.session, "whose tasks the client sees (default: one for each directory)")->option_text("ID");
  p.app.add_option("--tools", o.tools, "what may run in the background (default: Bash,Read,Write,Edit,Glob,Grep)")->option_text("LIST");
  if (const auto code = p.parse(words)) return *code;
  return run_mcp(o);
}

int check(const Words& words) {
  CheckOptions o;
  Parser p("check", "FILE... [--strict] [--json]",
           "Checks app files and profiles as `serve` and `run` would load them: every problem with line, column and code, and each\n"
           "agent with its model, its tools and their gates. Exits with 1 when a file is wrong.");
  p.app.add_option("file", o.files, "app.yaml and profile (.md) files")->required();
  p.app.add_flag("--strict", o.strict, "warnings count as errors");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_check(o);
}

int doctor(const Words& words) {
  DoctorOptions o;
  Parser p("doctor", "[--crash-test] [--json]",
           "Checks home, disk, database and providers, and says what to do. Exits with 1 when something is broken.");
  p.app.add_flag("--crash-test", o.crash_test, "instead: kill -9 a server of its own in the middle of a run, and compare");
  p.app.add_flag("--failpoints", o.failpoints)->group("");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_doctor(o);
}

int completion(const Words& words) {
  std::string shell;
  Parser p("completion", "bash|zsh|fish", "Prints a completion script for a shell.",
           "Install:\n  bash  outlast completion bash > ~/.local/share/bash-completion/completions/outlast\n"
           "  zsh   outlast completion zsh > \"${fpath[1]}/_outlast\"\n  fish  outlast completion fish > "
           "~/.config/fish/completions/outlast.fish");
  p.app.add_option("shell", shell, "bash, zsh or fish")->required();
  if (const auto code = p.parse(words)) return *code;
  return run_completion(shell);
}

int service(const Words& words) {
  ServiceOptions o;
  Parser p("service", "install|uninstall|status [--print] [-- SERVE OPTIONS]",
           "Keeps `outlast serve` running as a systemd user unit: runs that a reboot cut go on by themselves.",
           "Example: outlast service install -- app.yaml --port 7801");
  p.app.add_option("action", o.action, "install, uninstall or status")->required();
  p.app.add_flag("--print", o.print, "print the unit and change nothing");
  p.app.add_option("serve", o.serve, "what `outlast serve` is given")->option_text("WORDS");
  if (const auto code = p.parse(words)) return *code;
  return run_service(o);
}

int shim(const Words& words) {
  std::string directory;
  Parser p("shim", "DIRECTORY", "Owns one child process; started by executors, not by people.");
  p.app.add_option("directory", directory, "")->required();
  if (const auto code = p.parse(words)) return *code;
  return process::run_shim(directory);
}

int execute(const Words& words) {
  ExecuteOptions o;
  Parser p("execute", "RUN_ID --from OWNER", "Executes one run; started by other commands, not by people.");
  p.app.add_option("id", o.run_id)->required();
  p.app.add_option("--from", o.from);
  p.app.add_option("--ready-fd", o.ready_fd);
  if (const auto code = p.parse(words)) return *code;
  return run_execute(o);
}

int ids(const Words&) { return run_ids(); }

}  // namespace cli
