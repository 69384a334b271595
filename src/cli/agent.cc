#include "cli/agent.h"

#include "base/json.h"
#include "cli/agent_request.h"
#include "cli/follow.h"
#include "cli/launcher.h"
#include "cli/run_json.h"
#include "cli/signals.h"
#include "cli/store_command.h"

namespace cli {

namespace {

void say_started(const LaunchedRun& launched, const AgentOptions& options) {
  const auto& run = launched.run;
  if (options.json) {
    boost::json::object told{{"run_id", run.run_id},
                             {"branch_id", run.session_id},
                             {"pid", launched.pid},
                             {"status", run::name(run.status)},
                             {"run_dir", launched.directory}};
    return put_line(base::to_text(told));
  }
  put_line("Run " + run.run_id + " is running in the background (PID " + std::to_string(launched.pid) + ")");
  put_line("Follow: outlast logs -f " + run.run_id);
  put_line("Result: outlast attach " + run.run_id);
  note("");
  note("[to resume] outlast agent -r " + run.session_id + " \"...\"");
}

aio::Task<int> agent(Process& process, const AgentOptions& options) {
  auto request = co_await agent_request(process, options);
  if (!request) co_return complain(request.error());
  // Between the launch and the hand-over an interrupt must wait, or it leaves a run that nobody executes.
  int early_signal = 0;
  std::optional<Signals> hold(std::in_place, process.io, [&early_signal](int signal) { early_signal = signal; });
  auto launched = co_await launch_detached(process, std::move(*request), options.command);
  hold.reset();
  if (!launched) co_return complain(launched.error());
  if (options.background) {
    say_started(*launched, options);
    co_return kOk;
  }
  co_return co_await follow_run(process, launched->run,
                                {.verbose = options.verbose, .json = options.json, .early_signal = early_signal});
}

}  // namespace

int run_agent(const AgentOptions& options) {
  return with_store([&options](Process& process) { return agent(process, options); });
}

}  // namespace cli
