#include "bench/common/host.h"

#include <algorithm>
#include <cstdio>
#include <future>
#include <optional>

#include "aio/offload.h"
#include "aio/task_group.h"
#include "api/context.h"
#include "api/server.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/limits.h"
#include "engine/launch.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "run/event.h"
#include "store/sqlite_store.h"

namespace bench {

namespace limits = base::limits;

namespace {

constexpr std::size_t kLaunchesTogether = 256;  // as many as one commit may bring

app::App demo_app() {
  app::App app;
  app::Agent agent;
  agent.id = agent.name = kAgent;
  agent.brain.provider = agent.brain.endpoint.provider = "demo";
  agent.brain.model = "fast";
  app.agents.push_back(std::move(agent));
  return app;
}

std::unique_ptr<store::Store> open(boost::asio::io_context& io, aio::Time& time, const std::string& home) {
  auto opened = store::open_sqlite_store(io, time, {.home = home});
  if (!opened) throw base::Broken(opened.error().message);
  return std::move(*opened);
}

std::optional<std::string> no_environment(std::string_view) { return std::nullopt; }

llm::Endpoint demo_endpoint(const store::Run&, const run::Spec& spec) {
  return {.provider = spec.provider, .backend = {}, .base_url = {}, .api_key = {}, .timeout_ms = {}};
}

void report(const std::string& name, const std::string& what) {
  std::fprintf(stderr, "bench: %s failed: %s\n", name.c_str(), what.c_str());
}

}  // namespace

struct Host::Parts {
  Parts(boost::asio::io_context& io, const std::string& home)
      : time(io),
        store(open(io, time, home)),
        logs(io, time, *store, counters),
        http(io),
        blocking(limits::kBlockingThreads),
        models(http, time, {.environment = no_environment, .configured = {}, .script_directory = {}}),
        tools(tool::file_tools(blocking)),
        deps{.io = io,
             .time = time,
             .random = random,
             .store = *store,
             .models = models,
             .tools = tools,
             .counters = counters,
             .logs = logs,
             .runs_directory = home + "/runs",
             .endpoint_of = demo_endpoint},
        executor(deps, {.concurrent_runs_max = limits::kConcurrentRunsMax, .adopt = false}),
        housekeeping(io, *store, time, blocking, {.keep_days = std::nullopt, .children_directory = home + "/children"}),
        app(demo_app()),
        context{.deps = deps, .executor = executor, .housekeeping = housekeeping, .app = app, .options = {}, .work_directory = home},
        server(context),
        tasks(io, report) {
    store->listen(
        {.grown = [this](const auto& growth) { logs.grown(growth); }, .control = [this] { executor.control_changed(); }});
  }

  aio::SystemTime time;
  base::SystemRandom random;
  std::unique_ptr<store::Store> store;
  engine::Counters counters;
  engine::LiveLogs logs;
  net::HttpClient http;
  aio::Offload blocking;
  llm::Registry models;
  tool::Toolbox tools;
  engine::Deps deps;
  engine::Executor executor;
  engine::Housekeeping housekeeping;
  app::App app;
  api::Context context;
  api::Server server;
  std::optional<net::HttpServer> door;
  aio::TaskGroup tasks;
};

namespace {

// Parts are made, used and destroyed on the loop's thread only, as main does it.
aio::Task<> end(api::Context& context, std::optional<net::HttpServer>& door, aio::TaskGroup& tasks) {
  context.stopping = true;
  if (door) {
    door->close();
    co_await door->stop(0);
  }
  co_await context.executor.stop(0);
  tasks.close();
  tasks.cancel();
  co_await tasks.join();
  co_await context.deps.store.close();
}

template <class Work>
aio::Task<> call(Work work) {
  work();
  co_return;
}

}  // namespace

Host::Host(const std::string& home) {
  thread_ = std::thread([this] { io.run(); });
  try {
    run(call([this, &home] { parts_ = std::make_unique<Parts>(io, home); }));
    run(parts_->executor.start());
  } catch (...) {
    work_.reset();
    thread_.join();
    throw;
  }
}

Host::~Host() {
  run(end(parts_->context, parts_->door, parts_->tasks));
  run(call([this] { parts_.reset(); }));
  work_.reset();
  thread_.join();
}

std::uint16_t Host::serve() {
  run(call([this] {
    parts_->door.emplace(io, net::HttpServerOptions{}, parts_->server.handler());
    if (const auto listening = parts_->door->listen(); !listening) throw base::Broken(listening.error().message);
    parts_->tasks.spawn("accept", parts_->door->run());
  }));
  return parts_->door->port();
}

store::Store& Host::store() const { return *parts_->store; }
aio::Time& Host::time() const { return parts_->time; }
store::OwnerNumber Host::owner() const { return parts_->executor.owner(); }

namespace {

aio::Task<LiveRun> launch_one(Host& host, const std::string& input) {
  base::SystemRandom random;
  engine::LaunchRequest request;
  request.spec.input = input;
  request.spec.provider = "demo";
  request.spec.model = "fast";
  request.component_id = request.component_name = kAgent;
  request.session_id = base::new_uuid(random);
  request.session_name = "bench";
  auto launch = engine::make_launch(request, host.time(), random, host.owner());
  const auto launched = co_await host.store().launch(std::move(launch));
  co_return LiveRun{launched.run.number, launched.run.run_id, launched.run.event_count};
}

// Each works through the list that several of them share.
aio::Task<> launch_from(Host& host, const std::string& input, std::vector<LiveRun>& runs, std::size_t& next) {
  while (next < runs.size()) {
    const auto at = next++;
    auto run = co_await launch_one(host, input);
    runs[at] = std::move(run);
  }
}

aio::Task<> work_from(Host& host, std::vector<LiveRun>& runs, std::size_t& next, aio::Task<> (*work)(Host&, LiveRun&)) {
  while (next < runs.size()) {
    auto& run = runs[next++];
    co_await work(host, run);
  }
}

void wait_for(std::vector<std::future<void>>& tasks) {
  for (auto& task : tasks) task.wait();
  for (auto& task : tasks) task.get();
}

}  // namespace

std::vector<LiveRun> launch_runs(Host& host, std::size_t count, const std::string& input) {
  std::vector<LiveRun> runs(count);
  std::size_t next = 0;
  std::vector<std::future<void>> tasks;
  for (std::size_t i = 0; i < std::min(count, kLaunchesTogether); ++i)
    tasks.push_back(boost::asio::co_spawn(host.io, launch_from(host, input, runs, next), boost::asio::use_future));
  wait_for(tasks);
  return runs;
}

void for_all(Host& host, std::vector<LiveRun>& runs, std::size_t together, aio::Task<> (*work)(Host&, LiveRun&)) {
  std::size_t next = 0;
  std::vector<std::future<void>> tasks;
  for (std::size_t i = 0; i < std::min(runs.size(), together); ++i)
    tasks.push_back(boost::asio::co_spawn(host.io, work_from(host, runs, next, work), boost::asio::use_future));
  wait_for(tasks);
}

std::string event_lines(std::uint32_t count, std::size_t bytes_each) {
  base::SystemClock clock;
  std::string empty;
  run::append_text_delta(empty, clock.wall_ms(), "");
  const std::string text(bytes_each - std::min(bytes_each, empty.size() + 1), 'x');
  std::string lines;
  for (std::uint32_t i = 0; i < count; ++i) {
    run::append_text_delta(lines, clock.wall_ms(), text);
    lines += '\n';
  }
  return lines;
}

aio::Task<> append(Host& host, LiveRun& run, std::string lines, std::uint32_t count) {
  store::Append append;
  append.run = run.number;
  append.epoch = 1;
  append.first = run.next;
  append.lines = std::move(lines);
  append.count = count;
  append.now_ms = host.time().wall_ms();
  const auto done = co_await host.store().append(std::move(append));
  if (!done) throw base::Broken("an append was refused: " + done.error().message);
  run.next += count;
}

aio::Task<> complete(Host& host, LiveRun& run) {
  store::Append append;
  append.run = run.number;
  append.epoch = 1;
  append.first = run.next;
  append.now_ms = host.time().wall_ms();
  append.lines =
      run::encode({append.now_ms, run::RunCompleted{.content = "done", .model = "fast", .provider = "demo", .metrics = {}}}) +
      "\n";
  append.count = 1;
  append.status = run::Status::completed;
  append.reason = "run.completed.ok";
  const auto done = co_await host.store().append(std::move(append));
  if (!done) throw base::Broken("an end was refused: " + done.error().message);
  ++run.next;
}

}  // namespace bench
