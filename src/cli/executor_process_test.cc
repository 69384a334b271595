// Which process may be signalled.
#include "cli/executor_process.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

#include "store/liveness.h"

namespace cli {
namespace {

class ExecutorProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "outlast-executor-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    directory = name;
  }
  void TearDown() override {
    if (pid > 0) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    std::filesystem::remove_all(directory);
  }
  // A process whose first argument is that word, and which only waits: for a writer of a pipe of that name.
  store::Owner start(std::string word) {
    EXPECT_EQ(mkfifo((directory + "/" + word).c_str(), 0600), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    std::string program = "outlast";
    char* const argv[] = {program.data(), word.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid, "/bin/cat", &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    // It has begun; what it is called shows a moment later.
    for (int i = 0; i < 1'000 && words_of(pid).empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    auto owner = store::this_process();
    owner.pid = pid;
    owner.pid_start = store::process_start_time(pid).value_or(0);
    return owner;
  }
  static std::string words_of(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/cmdline", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool ended(int signal) {
    int status = 0;
    const bool gone = waitpid(std::exchange(pid, 0), &status, 0) > 0;
    return gone && WIFSIGNALED(status) && WTERMSIG(status) == signal;
  }

  std::string directory;
  pid_t pid = 0;
};

TEST_F(ExecutorProcessTest, IsFoundAndSignalled) {
  const auto found = ExecutorProcess::find(start("execute"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->pid(), pid);
  EXPECT_TRUE(found->lives());
  EXPECT_TRUE(found->signal(SIGTERM));
  EXPECT_TRUE(ended(SIGTERM));
  EXPECT_FALSE(found->lives());
  EXPECT_FALSE(found->signal(SIGKILL));  // whoever has the pid by now
}

TEST_F(ExecutorProcessTest, IsNoneThatWasGivenItsPidLater) {
  auto owner = start("execute");
  ASSERT_TRUE(ExecutorProcess::find(owner));
  for (auto other = owner; const auto& change : {1, 2, 3, 4}) {
    other = owner;
    if (change == 1) --other.pid_start;
    if (change == 2) other.boot_id += "x";
    if (change == 3) other.host += "x";
    if (change == 4) other.pid = 0;
    EXPECT_FALSE(ExecutorProcess::find(other)) << change;
  }
}

TEST_F(ExecutorProcessTest, IsNoServer) { EXPECT_FALSE(ExecutorProcess::find(start("serve"))); }

}  // namespace
}  // namespace cli
