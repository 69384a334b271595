#pragma once
// For tests of what executes: one process on a home, with the real store and the scripted provider.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "aio/loop_fixture.h"
#include "aio/offload.h"
#include "engine/executor.h"
#include "net/http_client.h"
#include "store/sqlite_store.h"
#include "tool/tool.h"

namespace engine {

// One process on a home, with everything that executes.
class Process {
 public:
  explicit Process(const std::string& home, bool adopt = false)
      : time(io),
        store(open(home)),
        logs(io, time, *store, counters),
        http(io),
        blocking(2),
        models(http, time, {.environment = [](std::string_view) { return std::nullopt; }}),
        tools(tool::file_tools(blocking)),
        deps{io,
             time,
             random,
             *store,
             models,
             tools,
             counters,
             logs,
             home + "/runs",
             [](const store::Run&, const run::Spec& spec) { return llm::Endpoint{.provider = spec.provider}; }},
        executor(deps, {.concurrent_runs_max = 8, .adopt = adopt}) {
    store->listen({.grown = [this](const auto& growth) { logs.grown(growth); }, .control = [this] { executor.control_changed(); }});
    run(executor.start());
  }
  ~Process() {
    run(executor.stop(0));
    run(store->close());
  }

  template <class T>
  T run(aio::Task<T> task) {
    return aio::run_to_end(io, std::move(task));
  }
  // Turns the loop until `done`, at most ten seconds.
  void turn_until(const std::function<bool()>& done) {
    io.restart();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(done());
  }

  store::Run launch(const std::string& input, const std::string& session = "s", run::Limits limits = {}) {
    LaunchRequest request;
    request.spec = {.input = input, .provider = "demo", .model = "fast", .tools = {{"Read"}, {"Glob"}}, .limits = limits, .work_directory = "/tmp"};
    request.component_id = request.component_name = "main";
    request.session_id = session;
    return run(executor.launch(std::move(request))).run;
  }
  store::Run row(const store::Run& r) { return *run(store->find_run(r.run_id)); }
  store::Run settled(const store::Run& r) {
    turn_until([&] { return run::is_terminal(row(r).status); });
    return row(r);
  }
  std::vector<run::Event> log(const store::Run& r) {
    std::vector<run::Event> events;
    for (;;) {
      const auto slice = run(store->read(r.number, events.size()));
      if (!slice.count) return events;
      EXPECT_EQ(slice.first, events.size());
      std::string_view rest = *slice.lines;
      for (; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) events.push_back(*run::decode(rest.substr(0, rest.find('\n'))));
    }
  }

  boost::asio::io_context io{1};
  aio::SystemTime time;
  base::SystemRandom random;
  Counters counters;
  std::unique_ptr<store::Store> store;
  LiveLogs logs;
  net::HttpClient http;
  aio::Offload blocking;
  llm::Registry models;
  tool::Toolbox tools;
  Deps deps;
  Executor executor;

 private:
  std::unique_ptr<store::Store> open(const std::string& home) {
    auto opened = store::open_sqlite_store(io, time, {.home = home});
    if (!opened) throw base::Broken(opened.error().message);
    return std::move(*opened);
  }
};

template <class T>
std::size_t count(const std::vector<run::Event>& log) {
  std::size_t n = 0;
  for (const auto& event : log) n += std::holds_alternative<T>(event.payload);
  return n;
}

inline std::string words(int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += "w" + std::to_string(i) + " ";
  return text;
}

inline std::string content_of(const std::vector<run::Event>& log) { return std::get<run::RunCompleted>(log.back().payload).content; }

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "outlast-engine-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    home = name;
  }
  void TearDown() override { std::filesystem::remove_all(home); }
  std::string home;
};

}  // namespace engine
