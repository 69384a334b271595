// Which tasks are live: a real store, real child directories, and a `claude` that is a script.
#include "cli/task_live.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/ids.h"
#include "cli/registry_query.h"
#include "harness/harness.h"
#include "process/child_directory.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

class LiveTest : public testing::Test {
 protected:
  LiveTest() : path_before(std::getenv("PATH")) {
    char name[] = "/tmp/outlast-live-XXXXXX";
    root = mkdtemp(name);
    fs::create_directories(root + "/bin");
    setenv("PATH", (root + "/bin:" + path_before).c_str(), 1);
    before = std::signal(SIGCHLD, SIG_DFL);
    open_process("");
  }
  ~LiveTest() override {
    close_process();
    setenv("PATH", path_before.c_str(), 1);
    std::signal(SIGCHLD, before);
    fs::remove_all(root);
  }
  void open_process(std::string term) {
    Settings settings;
    settings.home = root + "/home";
    settings.environment = [term](std::string_view variable) {
      return variable == "OUTLAST_TERM" ? std::optional(term) : std::nullopt;
    };
    auto opened = Process::open(std::move(settings));
    ASSERT_TRUE(opened) << opened.error().message;
    process = std::move(*opened);
  }
  static aio::Task<int> nothing() { co_return 0; }
  void close_process() {
    if (!used) process->run(nothing());
    process.reset();
  }

  // What tasks_now says; a process has one main task, so it is opened again for the next.
  std::vector<TaskNow> now(const std::vector<store::Assignment>& tasks, const std::string& term = "") {
    close_process();
    open_process(term);
    std::vector<TaskNow> result;
    used = true;
    process->run(look(tasks, result));
    close_process();
    open_process("");
    used = false;
    return result;
  }
  aio::Task<int> look(const std::vector<store::Assignment>& tasks, std::vector<TaskNow>& result) {
    result = co_await tasks_now(*process, tasks);
    co_return 0;
  }

  // A run of a coding agent that is not over.
  store::Run launch() {
    store::Launch launch;
    launch.run_id = base::new_run_id(process->time, process->random);
    launch.kind = store::kKindHarness;
    launch.component_id = "claude";
    launch.session_id = "session";
    launch.spec = "{}";
    launch.now_ms = process->time.wall_ms();
    store::Run run;
    used = true;
    process->run(make(std::move(launch), run));
    close_process();
    open_process("");
    used = false;
    return run;
  }
  aio::Task<int> make(store::Launch launch, store::Run& run) {
    auto launched = co_await process->store->launch(std::move(launch));
    run = launched.run;
    co_return 0;
  }
  // A process of that run.
  void child(const store::Run& run, const base::ProcessIdentity& identity) const {
    const auto directory = root + "/home/children/" + run.run_id + "/0123456789abcdef";
    fs::create_directories(directory);
    process::ChildDirectory(directory).write(process::kProcessFile, process::encode(identity));
  }
  static store::Assignment supervised(const store::Run& run) {
    store::Assignment task;
    task.slug = "supervised";
    task.harness = "claude";
    task.run_id = run.run_id;
    return task;
  }
  static store::Assignment background(const std::string& session) {
    store::Assignment task;
    task.slug = "background";
    task.harness = "claude";
    task.background = true;
    task.session_id = session;
    return task;
  }
  // A `claude` that counts how often it is called.
  void claude(const std::string& script) const {
    const auto path = root + "/bin/claude";
    std::ofstream(path) << "#!/bin/sh\necho \"$@\" >> " << root << "/calls\n" << script << "\n";
    fs::permissions(path, fs::perms::owner_all);
  }
  std::string calls() const {
    std::ifstream file(root + "/calls");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string root, path_before;
  sighandler_t before;
  std::unique_ptr<Process> process;
  bool used = false;
};

TEST_F(LiveTest, ASupervisedTaskIsLiveWhileItsRunHasAProcess) {
  const auto run = launch(), other = launch();
  child(run, base::this_process());
  const auto result = now({supervised(run), supervised(other), store::Assignment{}});
  EXPECT_EQ(result[0].live, true);
  EXPECT_EQ(result[0].pids, std::vector<std::int64_t>{getpid()});
  EXPECT_EQ(result[0].run->run_id, run.run_id);
  EXPECT_EQ(result[1].live, false) << "a run that is not over is not yet a process";
  EXPECT_TRUE(result[1].run);
  EXPECT_EQ(result[2].live, false) << "never started";
}

TEST_F(LiveTest, APidThatWasGivenOutAgainIsNobody) {
  const auto run = launch();
  auto stranger = base::this_process();
  stranger.start += 1;
  child(run, stranger);
  EXPECT_EQ(now({supervised(run)})[0].live, false);
}

TEST_F(LiveTest, OutsideBgModeNobodyIsAsked) {
  claude("echo '[]'");
  for (const auto* term : {"", "BG", "bg ", "background"}) {
    const auto result = now({background("s-1"), store::Assignment{}}, term);
    EXPECT_FALSE(result[0].live) << "not known";
    EXPECT_EQ(result[0].bg_status, "");
  }
  now({store::Assignment{}}, "bg");
  now({background("")}, "bg");
  EXPECT_EQ(calls(), "") << "nor where no task has such a session";
}

TEST_F(LiveTest, InBgModeTheRegistryIsAskedOnceForAll) {
  claude(R"(echo noise >&2
cat <<'END'
[{"id":"aaaaaaaa","sessionId":"s-1","kind":"background","pid":23274,"status":"idle","state":"done","cwd":"/w","startedAt":1},
 {"id":"bbbbbbbb","sessionId":"s-2","kind":"background","state":"stopped"},
 {"id":"cccccccc","sessionId":"s-3","kind":"interactive","pid":5,"status":"busy"}]
END)");
  const auto result = now({background("s-1"), background("s-2"), background("s-3"), background("s-4")}, "bg");
  EXPECT_EQ(calls(), "agents --json --all\n");
  EXPECT_EQ(result[0].live, true);
  EXPECT_EQ(result[0].bg_status, "idle/done (pid 23274, id aaaaaaaa)");
  EXPECT_EQ(result[1].live, false) << "one without a pid";
  EXPECT_EQ(result[1].bg_status, "stopped (id bbbbbbbb)");
  EXPECT_EQ(result[2].live, false) << "an interactive session is none of ours";
  EXPECT_EQ(result[2].bg_status.find("pid"), std::string::npos) << result[2].bg_status;
  EXPECT_EQ(result[3].bg_status.find("absent"), 0u) << result[3].bg_status;
}

TEST_F(LiveTest, ARegistryThatFailsIsNoAbsence) {
  claude("echo 'Error: could not reach the service' >&2; exit 1");
  auto result = now({background("s-1"), store::Assignment{}}, "bg");
  EXPECT_FALSE(result[0].live);
  EXPECT_EQ(result[0].bg_status, "unknown");
  EXPECT_EQ(result[0].registry_failure,
            "`claude agents --json --all` failed with exit code 1: Error: could not reach the service");
  EXPECT_EQ(result[1].registry_failure, "");
  claude("echo nonsense");
  EXPECT_NE(now({background("s-1")}, "bg")[0].registry_failure.find("no list"), std::string::npos);
  fs::remove(root + "/bin/claude");
  EXPECT_NE(now({background("s-1")}, "bg")[0].registry_failure.find("claude cannot be run"), std::string::npos);
}

TEST_F(LiveTest, ARegistryThatHangsIsGivenUpWithAllThatItStarted) {
  claude("setsid sleep 60 & sleep 60");
  const auto began = std::chrono::steady_clock::now();
  const auto result = now({background("s-1")}, "bg");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(kRegistryGlanceMs + 1'000));
  EXPECT_EQ(result[0].registry_failure, "`claude agents --json --all` gave no answer within 2.0s");
}

TEST_F(LiveTest, TheCallersSessionIsNotPassedOn) {
  claude("env > " + root + "/environment; echo '[]'");
  const auto* harness = harness::find("claude");
  ASSERT_TRUE(harness);
  const auto variable = std::string(harness->session_variable());
  setenv(variable.c_str(), "s-0", 1);
  now({background("s-1")}, "bg");
  unsetenv(variable.c_str());
  std::ifstream file(root + "/environment");
  const std::string environment{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(environment.find("PATH="), std::string::npos);
  EXPECT_EQ(environment.find(variable), std::string::npos);
}

}  // namespace
}  // namespace cli
