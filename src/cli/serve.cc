#include "cli/serve.h"

#include <malloc.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>

#include "api/server.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/definitions.h"
#include "cli/mcp.h"
#include "cli/process.h"
#include "engine/decision_deadlines.h"
#include "engine/waker.h"

namespace cli {

namespace {

namespace limits = base::limits;
constexpr int kExitUsage = 2, kExitUnusable = 78;
constexpr std::int64_t kTickMs = 5'000, kDayMs = 86'400'000;

int complain(const base::Error& error, int code) {
  std::fprintf(stderr, "error: %s\n", error.message.c_str());
  return code;
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

void configure_log(const ServeOptions& options) {
  using base::log::Format;
  using base::log::Level;
  const auto level = options.log_level == "debug"     ? Level::debug
                     : options.log_level == "warning" ? Level::warning
                     : options.log_level == "error"   ? Level::error
                                                      : Level::info;
  const bool text = options.log_format == "text" || (options.log_format.empty() && isatty(STDERR_FILENO));
  base::log::configure(level, text ? Format::text : Format::json);
}

aio::Task<> tick(Process& process) {
  for (;;) {
    co_await process.time.sleep(std::chrono::milliseconds(kTickMs));
    process.logs->tick();
  }
}

// The command line's word, else the configuration's, else the default.
std::size_t bound(std::optional<std::size_t> option, std::optional<std::int64_t> configured, std::size_t otherwise) {
  return option.value_or(configured ? static_cast<std::size_t>(*configured) : otherwise);
}

aio::Task<> wait_for_stop(boost::asio::io_context& io) {
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  co_await signals.async_wait(boost::asio::use_awaitable);
}

// A second signal during the drain ends the waiting.
aio::Task<> drain(Process& process, net::HttpServer& http) {
  using namespace boost::asio::experimental::awaitable_operators;
  base::log::info("stopping: no new requests; steps under way may finish",
                  {{"runs", std::to_string(process.execution->executor.executing())}});
  auto either = process.execution->executor.stop(limits::kDrainMs) || wait_for_stop(process.io);
  const auto first = co_await std::move(either);
  if (first.index() == 1) co_await process.execution->executor.stop(0);
  co_await http.stop(0);
}

aio::Task<int> serve(Process& process, const app::App& app, const ServeOptions& options) {
  auto& executor = process.execution->executor;
  co_await executor.start();
  engine::Housekeeping housekeeping(process.io, *process.store, process.time, process.execution->blocking,
                                    {.keep_days = process.settings.config.keep_days, .children_directory = children_directory(process.settings)});
  api::Context context{.deps = process.execution->deps,
                       .executor = executor,
                       .housekeeping = housekeeping,
                       .app = app,
                       .options = {.os_id = app.app_id.empty() ? "outlast" : app.app_id,
                                   .name = app.name.empty() ? "Outlast" : app.name,
                                   .security_key = process.settings.environment("OS_SECURITY_KEY").value_or(""),
                                   .cors_origins = {"http://localhost:3000", "https://agno.com", "https://www.agno.com",
                                                    "https://app.agno.com", "https://os.agno.com", "https://os-stg.agno.com"},
                                   .instantiated_ms = process.time.wall_ms()},
                       .work_directory = work_directory_of(app)};
  if (!options.mcp_tools.empty()) context.options.mcp_tools = tool_names(options.mcp_tools);
  context.options.keep_ms = process.settings.config.keep_days.value_or(0) * kDayMs;
  api::Server server(context);
  net::HttpServer http(process.io, {.address = options.host, .port = options.port}, server.handler());
  if (const auto listening = http.listen(); !listening) {
    co_await executor.stop(0);
    co_return complain(listening.error(), kExitUnusable);
  }
  aio::TaskGroup tasks(process.io, [](const std::string& name, const std::string& what) {
    base::log::error("a task of the server failed", {{"task", name}, {"reason", what}});
  });
  tasks.spawn("accept", http.run());
  tasks.spawn("tick", tick(process));
  tasks.spawn("housekeeping", housekeeping.run());
  engine::Waker waker(process.execution->deps, executor);
  tasks.spawn("waker", waker.run());
  tasks.spawn("decisions", engine::watch_decisions(process.execution->deps));
  std::fprintf(stderr, "outlast %s serves %zu agent%s on http://%s:%u\n", OUTLAST_VERSION, app.agents.size(),
               app.agents.size() == 1 ? "" : "s", options.host.c_str(), http.port());
  co_await wait_for_stop(process.io);
  http.close();
  context.stopping = true;
  process.logs->tick();
  co_await drain(process, http);
  tasks.close();
  tasks.cancel();
  co_await tasks.join();
  co_return 0;
}

}  // namespace

int run_serve(const ServeOptions& options) {
  // One heap for the few threads there are: with one per thread, what readers free in one is not there for the other, and a
  // server whose clients stall holds twice the memory (measured with twelve of them: 23 MiB against 41).
  mallopt(M_ARENA_MAX, 1);
  configure_log(options);
  auto settings = load_settings();
  if (!settings) return complain(settings.error(), settings.error().code == base::Errc::unavailable ? kExitUnusable : kExitUsage);
  if (!is_loopback(options.host) && !settings->environment("OS_SECURITY_KEY")) {
    std::fprintf(stderr, "error: --host %s can be reached from other machines: set OS_SECURITY_KEY to a secret first\n",
                 options.host.c_str());
    return kExitUsage;
  }
  auto app = load_definitions(options.files, settings->environment);
  if (!app) return complain(app.error(), kExitUsage);
  if (app->agents.empty() && !options.files.empty()) {
    std::fprintf(stderr, "error: %s defines no agents; add an `agents:` section\n", options.files.front().c_str());
    return kExitUsage;
  }
  if (app->agents.empty()) {
    std::fprintf(stderr, "no agents given: serving the scripted agent 'demo' (offline, no model)\n");
    app->agents.push_back(demo_agent());
  }
  const auto& config = settings->config;
  const auto runs_max = bound(options.max_concurrent_runs, config.max_concurrent_runs, limits::kConcurrentRunsMax);
  const auto pending_max = bound(options.max_pending_runs, config.max_pending_runs, limits::kPendingRunsMax);
  auto process = Process::open(std::move(*settings));
  if (!process) return complain(process.error(), kExitUnusable);
  (*process)->enable_execution(&*app, {.concurrent_runs_max = runs_max, .pending_runs_max = pending_max, .adopt = true});
  return (*process)->run(serve(**process, *app, options));
}

}  // namespace cli
