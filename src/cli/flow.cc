#include "cli/flow.h"

#include <filesystem>
#include <optional>

#include "base/json.h"
#include "cli/flow_request.h"
#include "cli/follow.h"
#include "cli/launcher.h"
#include "cli/signals.h"
#include "cli/store_command.h"

namespace cli {

namespace {

constexpr std::int64_t kPictureMs = 5'000;

void say_started(const LaunchedRun& launched, const FlowRequest& request, const FlowOptions& options) {
  const auto& run = launched.run;
  if (options.json) {
    put_line(base::to_text(boost::json::object{{"run_id", run.run_id},
                                               {"branch_id", run.session_id},
                                               {"pid", launched.pid},
                                               {"status", run::name(run.status)},
                                               {"log", request.launch.spec.flow->directory + "/flow.log"},
                                               {"run_dir", launched.directory}}));
    return;
  }
  put_line("Flow running in background (PID " + std::to_string(launched.pid) + ")");
  put_line("Output: " + request.shown_log);
  put_line("Monitor: tail -f " + request.shown_log);
  note("");
  note("[run] " + run.run_id);
  note("[to attach] outlast attach " + run.run_id);
}

// The flow's process draws it when the flow has ended.
aio::Task<> see_picture(Process& process, std::string directory, std::string format) {
  const auto path = directory + "/flow_dag." + (format == "mermaid" ? "mmd" : format);
  const auto until = process.time.steady_ms() + kPictureMs;
  std::error_code ec;
  while (!std::filesystem::exists(path, ec)) {
    if (process.time.steady_ms() >= until) co_return warn("no picture yet: " + path + " (png and svg need Graphviz: `dot`)");
    co_await process.time.sleep(std::chrono::milliseconds(50));
  }
  note("Graph: " + path);
}

aio::Task<int> flow(Process& process, const FlowOptions& options) {
  auto request = co_await flow_request(process, options);
  if (!request) co_return complain(request.error());
  // Between the launch and the hand-over an interrupt must wait, or it leaves a run that nobody executes.
  int early_signal = 0;
  std::optional<Signals> hold(std::in_place, process.io, [&early_signal](int signal) { early_signal = signal; });
  auto launched = co_await launch_detached(process, request->launch, options.command);
  hold.reset();
  if (!launched) co_return complain(launched.error());
  if (options.background) {
    say_started(*launched, *request, options);
    co_return kOk;
  }
  const auto code = co_await follow_run(process, launched->run,
                                        {.verbose = options.verbose, .json = options.output == "json", .early_signal = early_signal});
  if (options.show_graph && code != kInterrupted) co_await see_picture(process, request->launch.spec.flow->directory, options.graph_format);
  co_return code;
}

}  // namespace

int run_flow(const FlowOptions& options) {
  return with_store([&options](Process& process) { return flow(process, options); });
}

}  // namespace cli
