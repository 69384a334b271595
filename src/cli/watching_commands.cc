#include "cli/watching_commands.h"

#include "cli/kill.h"
#include "cli/monitor.h"
#include "cli/option_parser.h"
#include "cli/status.h"

namespace cli {

int status(const Words& words) {
  StatusOptions o;
  Parser p(
      "status", "ID [--json]",
      "Says how it stands with a run: who executes it, what it waits for, what the runs that it has started do.\n"
      "Exits with 0 when it completed, 1 when it ended otherwise, 2 for an unknown or ambiguous id, 3 while it has not ended.",
      "Examples:\n  outlast status 20260420T140312\n  outlast status 4711        (the PID that a background launch printed)\n"
      "  outlast status 20260420T140312/researcher --json");
  p.app.add_option("id", o.id, "run, branch, unique beginning, RUN/AGENT, or PID of its process")->required();
  p.app.add_flag("--json", o.json, "one JSON object: ok, contract_version, and data or error");
  if (const auto code = p.parse(words)) return *code;
  return run_status(o);
}

int kill(const Words& words) {
  KillOptions o;
  Parser p("kill", "ID... [OPTIONS]",
           "Ends runs with all that they have started, and answers when their processes are gone. They are cancelled first; a\n"
           "process that does not end its run within the grace gets SIGTERM, after another grace SIGKILL, and the run is ended\n"
           "without it. A server that executes other runs too is never signalled. Exits with 0 when all is gone, else 3.",
           "Examples:\n  outlast kill 20260420T140312 --reason \"wrong branch\"\n  outlast kill 20260420T140312 --dry-run\n"
           "  outlast kill 4711 --grace 1");
  p.app.add_option("id", o.ids, "runs, branches, RUN/AGENT, or PIDs of their processes")->required();
  p.app.add_option("--reason", o.reason, "kept with the run: outlast show tells it")->option_text("TEXT");
  p.app.add_option("--grace", o.grace_s, "how long before SIGTERM, and again before SIGKILL (default 5)")->option_text("SECONDS");
  p.app.add_flag("--dry-run", o.dry_run, "only list what would be ended");
  p.app.add_flag("--json", o.json, "one JSON object a line");
  if (const auto code = p.parse(words)) return *code;
  return run_kill(o);
}

int monitor(const Words& words) {
  MonitorOptions o;
  Parser p(
      "monitor", "[ID] [OPTIONS]",
      "A table of what goes on: live runs first, then those that have ended last. With ID that run and all below it.\n"
      "* is live; ! is live and waits for an executor. CHILDREN: ended/started, ✗ failed. Ctrl-C leaves it (130); runs go on.",
      "Examples:\n  outlast monitor -w\n  outlast monitor 20260420T140312 -w --refresh 0.5\n  outlast monitor --since 2h");
  p.app.add_option("id", o.id, "run, branch, RUN/AGENT, or PID");
  p.app.add_flag("-w,--watch", o.watch, "go on until all that is shown has ended; without a terminal only changes are printed");
  p.app.add_option("--refresh", o.refresh_s, "with -w: look this often (default 2)")->option_text("SECONDS");
  p.app.add_option("--since", o.since, "also what has ended within this time: 30m, 1h, 2d (default: the last 20)")
      ->option_text("TIME");
  p.app.add_flag("--json", o.json, kJson);
  if (const auto code = p.parse(words)) return *code;
  return run_monitor(o);
}

}  // namespace cli
