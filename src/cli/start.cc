#include "cli/start.h"

#include <optional>

#include "base/json.h"
#include "cli/follow.h"
#include "cli/launcher.h"
#include "cli/signals.h"

namespace cli {

namespace {

void say_started(const LaunchedRun& launched, const StartOptions& options) {
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
  note("[to resume] " + options.resume_with + " -r " + run.session_id + " \"...\"");
}

}  // namespace

aio::Task<int> start_run(Process& process, engine::LaunchRequest request, std::vector<std::string> command, StartOptions options) {
  // Between the launch and the hand-over an interrupt must wait, or it leaves a run that nobody executes.
  int early_signal = 0;
  std::optional<Signals> hold(std::in_place, process.io, [&early_signal](int signal) { early_signal = signal; });
  auto launched = co_await launch_detached(process, std::move(request), std::move(command));
  hold.reset();
  if (!launched) co_return complain(launched.error());
  if (options.background) {
    say_started(*launched, options);
    co_return kOk;
  }
  FollowOptions follow;
  follow.verbose = options.verbose;
  follow.json = options.json;
  follow.early_signal = early_signal;
  follow.resume_with = options.resume_with;
  co_return co_await follow_run(process, launched->run, std::move(follow));
}

}  // namespace cli
