#pragma once
// The objects of one process in their order of construction, and the loop that runs its main task. Only here and in main
// are concrete types known.
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "aio/offload.h"
#include "aio/time.h"
#include "app/definition.h"
#include "base/clock.h"
#include "cli/endpoints.h"
#include "cli/mcp_servers.h"
#include "engine/agents.h"
#include "engine/counters.h"
#include "engine/deps.h"
#include "engine/executor.h"
#include "engine/live_logs.h"
#include "engine/memory.h"
#include "engine/projection.h"
#include "engine/tasks.h"
#include "engine/team_mail.h"
#include "llm/registry.h"
#include "net/http_client.h"
#include "process/children.h"
#include "store/store.h"
#include "tool/tool.h"

namespace cli {

// What every command starts from: the home and its config.yaml.
struct Settings {
  std::string home;  // OUTLAST_HOME, else ~/.outlast
  app::Config config;
  llm::Environment environment;
};
// Errc::unavailable: no home can be named; Errc::invalid_argument: config.yaml is wrong.
base::Result<Settings> load_settings();

// What commands wrote, a directory per run.
inline std::string children_directory(const Settings& settings) { return settings.home + "/children"; }
// The files of teams.
inline std::string teams_directory(const Settings& settings) { return settings.home + "/teams"; }

// What a process that executes runs has besides its store.
struct Execution {
  Execution(boost::asio::io_context& io, aio::Time& time, base::Random& random, store::Store& store, engine::Counters& counters,
            engine::LiveLogs& logs, const Settings& settings, const app::App* app, engine::ExecutorOptions options);

  net::HttpClient http;
  aio::Offload blocking;
  llm::Registry models;
  process::Children children;
  engine::Agents agents;
  tool::Toolbox tools;
  Endpoints endpoints;
  McpServers mcp_servers;
  engine::Projection projection;
  engine::Deps deps;
  engine::Executor executor;
  engine::Tasks tasks;
  engine::Memory memory;
  engine::TeamFiles team_files;
  engine::TeamMail team_mail;
};

class Process {
 public:
  // Opens the store of the settings' home. Errc::unavailable (exit code 78).
  static base::Result<std::unique_ptr<Process>> open(Settings settings);

  // Adds what is needed to execute runs. `app`, the one that is served (may be null), must outlive the process' main task.
  Execution& enable_execution(const app::App* app, engine::ExecutorOptions options);

  // Runs `main` to its end on this thread, then closes the store. An exception of main is reported and gives 1.
  int run(aio::Task<int> main);

  const Settings settings;
  boost::asio::io_context io{1};
  aio::SystemTime time{io};
  base::SystemRandom random;
  std::unique_ptr<store::Store> store;
  engine::Counters counters;
  std::optional<engine::LiveLogs> logs;
  std::optional<Execution> execution;

 private:
  explicit Process(Settings s) : settings(std::move(s)) {}
};

}  // namespace cli
