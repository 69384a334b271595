#include "cli/process.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/limits.h"
#include "store/sqlite_store.h"
#include "tool/agent_tool.h"
#include "tool/ask_user.h"
#include "tool/memory_tools.h"
#include "tool/shell_tools.h"
#include "tool/task_tools.h"
#include "tool/team_tools.h"

namespace cli {

namespace {

std::optional<std::string> from_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (!value || !*value) return std::nullopt;
  return std::string(value);
}

// What programs that runs start may know of this process' environment.
std::vector<std::string> passed_on() {
  std::vector<std::string> own;
  for (char** at = environ; *at; ++at) own.emplace_back(*at);
  return tool::shell_environment(own);
}

std::vector<std::unique_ptr<tool::Tool>> all_tools(process::Children& children, tool::Agents& agents, aio::Offload& blocking,
                                                   aio::Time& time) {
  auto tools = tool::file_tools(blocking);
  for (auto& tool : tool::shell_tools(children, blocking, time, {.environment = passed_on()})) tools.push_back(std::move(tool));
  for (auto& tool : tool::memory_tools()) tools.push_back(std::move(tool));
  for (auto& tool : tool::team_tools()) tools.push_back(std::move(tool));
  for (auto& tool : tool::task_tools(time)) tools.push_back(std::move(tool));
  tools.push_back(tool::ask_user_tool());
  tools.push_back(tool::agent_tool(time, agents));
  return tools;
}

}  // namespace

base::Result<Settings> load_settings() {
  Settings settings;
  settings.environment = from_environment;
  if (const auto home = from_environment("OUTLAST_HOME"))
    settings.home = *home;
  else if (const auto user = from_environment("HOME"))
    settings.home = *user + "/.outlast";
  else
    return base::fail(base::Errc::unavailable, "neither OUTLAST_HOME nor HOME is set; set OUTLAST_HOME to a writable directory");
  // Detached processes work elsewhere: the home is named by its whole path.
  std::error_code ec;
  if (const auto whole = std::filesystem::absolute(settings.home, ec).lexically_normal(); !ec) settings.home = whole.string();
  if (settings.home.size() > 1 && settings.home.ends_with('/')) settings.home.pop_back();
  auto config = app::load_config(settings.home + "/config.yaml");
  if (!config) return std::unexpected(config.error());
  settings.config = std::move(*config);
  return settings;
}

Execution::Execution(boost::asio::io_context& io, aio::Time& time, base::Random& random, store::Store& store,
                     engine::Counters& counters, engine::LiveLogs& logs, const Settings& settings, const app::App* app,
                     engine::ExecutorOptions options)
    : http(io),
      blocking(base::limits::kBlockingThreads),
      models(http, time,
             {.environment = settings.environment,
              .configured = settings.config.providers,
              .script_directory = settings.home + "/demo"}),
      children(io, time, blocking, children_directory(settings)),
      tools(all_tools(children, agents, blocking, time)),
      endpoints(app, settings.environment),
      mcp_servers(io, time, http, tools, {.environment = settings.environment, .passed_on = passed_on()}),
      projection(store, logs, time, blocking, settings.home + "/runs"),
      deps{io,
           time,
           random,
           store,
           models,
           tools,
           counters,
           logs,
           settings.home + "/runs",
           [this](const store::Run& run, const run::Spec& spec) { return endpoints.of(run, spec); },
           nullptr,
           &projection},
      executor(deps, options),
      tasks(deps, executor),
      memory(store),
      team_files(store, time, blocking, teams_directory(settings)),
      team_mail(store, team_files) {
  deps.tasks = &tasks;
  deps.memory = &memory;
  deps.team_mail = &team_mail;
  deps.team_files = &team_files;
  deps.children = &children;
  deps.blocking = &blocking;
  deps.prices = settings.config.prices;
  deps.harness_runs_max = settings.config.harness_runs_max.value_or(0);
  for (char** at = environ; *at; ++at) deps.environment.emplace_back(*at);
  agents.use(deps, executor);
  deps.tools_of = [this](const store::Run& run, const run::Spec& spec) { return mcp_servers.tools_of(run, spec); };
  // Shims and MCP servers are children of this process that nobody waits for; they must not stay as zombies.
  std::signal(SIGCHLD, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);  // a server may end while it is being told something
}

base::Result<std::unique_ptr<Process>> Process::open(Settings settings) {
  std::unique_ptr<Process> process(new Process(std::move(settings)));
  auto store = store::open_sqlite_store(process->io, process->time, {.home = process->settings.home});
  if (!store) return std::unexpected(store.error());
  process->store = std::move(*store);
  process->logs.emplace(process->io, process->time, *process->store, process->counters);
  process->store->listen({.grown = [p = process.get()](const auto& growth) { p->logs->grown(growth); }, .control = {}});
  return process;
}

Execution& Process::enable_execution(const app::App* app, engine::ExecutorOptions options) {
  auto& begun = execution.emplace(io, time, random, *store, counters, *logs, settings, app, options);
  store->listen({.grown = [this](const auto& growth) { logs->grown(growth); }, .control = [&begun] { begun.executor.control_changed(); }});
  return begun;
}

int Process::run(aio::Task<int> main) {
  int code = 1;
  const auto guarded = [](aio::Task<int> task, Process& process, int& result) -> aio::Task<> {
    std::string broken;
    try {
      result = co_await std::move(task);
    } catch (const std::exception& error) {
      broken = error.what();
    }
    if (!broken.empty()) {
      std::fprintf(stderr, "error: %s\nSee `outlast doctor`.\n", broken.c_str());
      result = 78;
    }
    if (process.execution) co_await process.execution->mcp_servers.close();
    co_await process.store->close();
  };
  boost::asio::co_spawn(io, guarded(std::move(main), *this, code), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  io.run();
  return code;
}

}  // namespace cli
