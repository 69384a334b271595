#include "process/capture.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "aio/time.h"
#include "base/text.h"
#include "process/tree.h"

namespace process {
namespace {

namespace fs = std::filesystem;

class CaptureTest : public testing::Test {
 protected:
  CaptureTest() {
    char name[] = "/tmp/outlast-capture-XXXXXX";
    root = mkdtemp(name);
    before = std::signal(SIGCHLD, SIG_DFL);  // this program ignores it, and would not be told exit codes
  }
  ~CaptureTest() override {
    std::signal(SIGCHLD, before);
    fs::remove_all(root);
  }
  CaptureSpec shell(const std::string& script, std::int64_t timeout_ms = 20'000) const {
    return {.argv = {"sh", "-c", script},
            .directory = root,
            .environment = {"PATH=/usr/bin:/bin", "MARK=" + root},
            .timeout_ms = timeout_ms};
  }
  std::string content(const std::string& name) const {
    std::ifstream file(root + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool left_behind() const { return !with_environment("MARK=" + root, getpid()).empty(); }

  std::string root;
  sighandler_t before;
};

TEST_F(CaptureTest, StreamsComeApartWithTheExitCode) {
  const auto told = capture(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(told.standard_output, "out\n");
  EXPECT_EQ(told.standard_error, "err\n");
  EXPECT_EQ(told.exit_code, 3);
  EXPECT_TRUE(!told.timed_out && !told.cut && told.not_started.empty() && told.signal == 0);
}

TEST_F(CaptureTest, ItHasItsOwnDirectoryEnvironmentAndNoInput) {
  const auto told = capture(shell("pwd; env | grep -c HOME=; cat; ps -o sid= -p $$ | tr -d ' '; echo $$"));
  const auto lines = base::split(told.standard_output, '\n');
  ASSERT_EQ(lines.size(), 5u) << told.standard_output << told.standard_error;
  EXPECT_EQ(lines[0], fs::canonical(root).string());
  EXPECT_EQ(lines[1], "0");
  EXPECT_EQ(lines[2], lines[3]) << "it leads a session of its own";
}

TEST_F(CaptureTest, WordsAreNoShellSyntax) {
  auto spec = shell("");
  spec.argv = {"echo", "$(id)", "a b", "`id`", ";"};
  EXPECT_EQ(capture(spec).standard_output, "$(id) a b `id` ;\n");
}

TEST_F(CaptureTest, TheProgramIsLookedUpInTheGivenPath) {
  fs::create_directories(root + "/bin");
  std::ofstream(root + "/bin/odd-tool") << "#!/bin/sh\necho found\n";
  fs::permissions(root + "/bin/odd-tool", fs::perms::owner_all);
  auto spec = shell("");
  spec.argv = {"odd-tool"};
  EXPECT_EQ(capture(spec).not_started, "No such file or directory");
  spec.environment = {"PATH=" + root + "/bin"};
  EXPECT_EQ(capture(spec).standard_output, "found\n");
  spec.directory = root + "/nowhere";
  EXPECT_EQ(capture(spec).not_started, "No such file or directory");
}

TEST_F(CaptureTest, OutputIsBounded) {
  auto spec = shell("head -c 3000000 /dev/zero | tr '\\0' x; head -c 50 /dev/zero | tr '\\0' y >&2");
  spec.output_bytes_max = 100'000;
  const auto told = capture(spec);
  EXPECT_EQ(told.standard_output, std::string(100'000, 'x'));
  EXPECT_EQ(told.standard_error, std::string(50, 'y'));
  EXPECT_TRUE(told.cut);
  EXPECT_EQ(told.exit_code, 0);
}

TEST_F(CaptureTest, EverythingOfManyBytesArrives) {
  auto spec = shell("head -c 5000000 /dev/zero | tr '\\0' x");
  spec.output_bytes_max = 8 << 20;
  EXPECT_EQ(capture(spec).standard_output.size(), 5'000'000u);
}

TEST_F(CaptureTest, AtTheDeadlineTheWholeTreeIsKilled) {
  const auto began = std::chrono::steady_clock::now();
  const auto told = capture(shell("echo early; trap '' TERM; setsid sleep 60 & sh -c 'sleep 60; :' & sleep 60", 300));
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_TRUE(told.timed_out);
  EXPECT_EQ(told.standard_output, "early\n") << "what it had said is kept";
  EXPECT_EQ(told.signal, SIGKILL);
  EXPECT_LT(took, std::chrono::seconds(2));
  for (int i = 0; i < 100 && left_behind(); ++i) usleep(10'000);
  EXPECT_FALSE(left_behind());
}

TEST_F(CaptureTest, AFloodDoesNotOutrunTheDeadline) {
  auto spec = shell("yes", 300);
  spec.output_bytes_max = 1'000;
  const auto told = capture(spec);
  EXPECT_TRUE(told.timed_out && told.cut);
  EXPECT_EQ(told.standard_output.size(), 1'000u);
}

TEST_F(CaptureTest, WhatItLeavesBehindIsNotWaitedForAndLivesOn) {
  const auto began = std::chrono::steady_clock::now();
  const auto told = capture(shell("echo banner; setsid sh -c 'sleep 0.5; echo late > proof' & exit 0"));
  EXPECT_EQ(told.exit_code, 0);
  EXPECT_EQ(told.standard_output, "banner\n");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(450)) << "the pipe is still open, it has ended";
  for (int i = 0; i < 300 && content("proof").empty(); ++i) usleep(10'000);
  EXPECT_EQ(content("proof"), "late\n");
}

TEST_F(CaptureTest, WhereChildrenAreNotReportedItsEndIsSeenAllTheSame) {
  std::signal(SIGCHLD, SIG_IGN);
  const auto told = capture(shell("echo x; exit 3"));
  EXPECT_EQ(told.standard_output, "x\n");
  EXPECT_FALSE(told.exit_code) << "nobody told it";
  EXPECT_FALSE(told.timed_out);
}

TEST_F(CaptureTest, TheLoopGoesOnMeanwhile) {
  boost::asio::io_context io{1};
  aio::SystemTime time(io);
  aio::Offload files(1);
  auto told = boost::asio::co_spawn(io, capture(files, shell("sleep 0.2; echo done")), boost::asio::use_future);
  auto slept = boost::asio::co_spawn(io, time.sleep(std::chrono::milliseconds(5)), boost::asio::use_future);
  io.run_one_for(std::chrono::seconds(5));
  while (slept.wait_for(std::chrono::seconds(0)) != std::future_status::ready) io.run_one_for(std::chrono::seconds(5));
  EXPECT_NE(told.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  io.run();
  EXPECT_EQ(told.get().standard_output, "done\n");
}

}  // namespace
}  // namespace process
