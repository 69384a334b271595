// Real children under real shims: this program is its own shim, as outlast is.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "aio/scope.h"
#include "process/cgroup.h"
#include "process/children.h"
#include "process/shim.h"
#include "process/tree.h"

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "shim") return process::run_shim(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  std::signal(SIGCHLD, SIG_IGN);
  return RUN_ALL_TESTS();
}

namespace process {
namespace {

namespace fs = std::filesystem;

class ChildrenTest : public testing::Test {
 protected:
  ChildrenTest() {
    char name[] = "/tmp/outlast-process-XXXXXX";
    home = mkdtemp(name);
    children.emplace(io, time, files, home + "/children");
  }
  ~ChildrenTest() override {
    run(children->kill_all("r", 1'000));
    fs::remove_all(home);
  }

  template <class T>
  T run(aio::Task<T> task) {
    auto future = start(std::move(task));
    return finish(future);
  }
  template <class T>
  std::future<T> start(aio::Task<T> task) {
    return boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
  }
  template <class T>
  T finish(std::future<T>& future) {
    io.restart();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      io.run_one_for(std::chrono::milliseconds(50));
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("not finished after 30 s");
    }
    return future.get();
  }
  void turn_until(const std::function<bool()>& done) {
    io.restart();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    // Asked once a turn: the environment of a process is empty for a moment while it becomes another program.
    bool is_done = done();
    for (; !is_done && std::chrono::steady_clock::now() < end; is_done = done()) io.run_one_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(is_done);
  }

  ChildSpec shell(const std::string& command) const {
    ChildSpec spec;
    spec.argv = {"sh", "-c", command};
    spec.directory = home;
    spec.environment = {"PATH=/usr/bin:/bin"};
    return spec;
  }
  ChildKey key(const std::string& call = "c", std::int64_t epoch = 1) const { return {"r", call, epoch}; }
  std::string output(const std::string& call = "c", std::string_view file = kStdoutFile) const {
    return read_excerpt(children->directory(key(call)).file(file), 1 << 20, 0).head;
  }
  pid_t shim(const std::string& call = "c") const { return static_cast<pid_t>(children->directory(key(call)).owner()->pid); }
  std::size_t tagged(const std::string& call = "c") const {
    return with_environment("OUTLAST_CHILD=" + children->directory(key(call)).path(), 0).size();
  }

  std::string home;
  boost::asio::io_context io{1};
  aio::SystemTime time{io};
  aio::Offload files{2};
  std::optional<Children> children;
};

TEST_F(ChildrenTest, KeepsOutputAndExitCode) {
  const auto ended = run(children->run(key(), shell("echo out; echo err >&2; exit 7")));
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(ended->cause, Cause::exited);
  EXPECT_EQ(ended->exit_code, 7);
  EXPECT_EQ(output(), "out\n");
  EXPECT_EQ(output("c", kStderrFile), "err\n");
  EXPECT_GT(ended->ended_ms, 0);
  EXPECT_GT(ended->max_resident_kib, 0);
}

TEST_F(ChildrenTest, RunsOnceHoweverOftenItIsAsked) {
  auto first = start(children->run(key(), shell("echo once >> trace; sleep 0.2; exit 3")));
  auto second = start(children->run(key("c", 2), shell("echo once >> trace; sleep 0.2; exit 3")));
  EXPECT_EQ(finish(second)->exit_code, 3);
  first.wait_for(std::chrono::seconds(0));
  EXPECT_EQ(run(children->run(key("c", 3), shell("echo thrice >> trace")))->exit_code, 3);
  std::ifstream trace(home + "/trace");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(trace), {}), "once\n");
  io.restart();
  turn_until([&first] { return first.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
}

TEST_F(ChildrenTest, TheTreeIsInAControlGroupWhereOneMayBeMade) {
  const auto probe = Cgroup::below_own("outlast-probe-" + std::to_string(getpid()));
  if (!probe || !probe->make()) GTEST_SKIP() << "no control group (version 2) may be made here";
  probe->remove();
  auto waiting = start(children->run(key(), shell("cat /proc/self/cgroup; setsid sleep 1001 & sleep 1001")));
  turn_until([this] { return tagged() >= 3 && output().find("/outlast-") != std::string::npos; });
  const auto cgroup = children->directory(key()).read(kCgroupFile);
  ASSERT_TRUE(cgroup);
  EXPECT_TRUE(fs::exists(*cgroup));
  // Its owner dies; what it leaves is found and ended through the group, and the group goes.
  kill(shim(), SIGKILL);
  EXPECT_EQ(finish(waiting)->cause, Cause::lost);
  EXPECT_EQ(tagged(), 0u);
  EXPECT_FALSE(fs::exists(*cgroup));

  EXPECT_EQ(run(children->run(key("d"), shell("true")))->exit_code, 0);
  const auto second = children->directory(key("d")).read(kCgroupFile);
  turn_until([&] { return second && !fs::exists(*second); });
}

TEST_F(ChildrenTest, SaysWhyItCouldNotRun) {
  auto spec = shell("true");
  spec.argv = {"no-such-program"};
  const auto missing = run(children->run(key("a"), spec));
  EXPECT_EQ(missing->cause, Cause::spawn_failed);
  EXPECT_NE(missing->message.find("no-such-program"), std::string::npos);
  spec = shell("true");
  spec.directory = home + "/nowhere";
  EXPECT_NE(run(children->run(key("b"), spec))->message.find("nowhere"), std::string::npos);
}

TEST_F(ChildrenTest, TellsSignalsAndLimitsApart) {
  const auto killed = run(children->run(key("signal"), shell("kill -SEGV $$")));
  EXPECT_EQ(killed->cause, Cause::signalled);
  EXPECT_EQ(killed->signal, SIGSEGV);
  auto slow = shell("echo begun; sleep 60");
  slow.wall_ms = 300;
  EXPECT_EQ(run(children->run(key("wall"), slow))->cause, Cause::timeout);
  EXPECT_EQ(output("wall"), "begun\n");
  auto silent = shell("echo begun; sleep 60");
  silent.idle_ms = 300;
  EXPECT_EQ(run(children->run(key("idle"), silent))->cause, Cause::idle_timeout);
  auto loud = shell("yes");
  loud.output_bytes_max = 100'000;
  EXPECT_EQ(run(children->run(key("loud"), loud))->cause, Cause::output_limit);
}

TEST_F(ChildrenTest, KillEndsTheWholeTree) {
  for (const auto* command : {"sleep 1001", "sleep 1001 & sleep 1001", "setsid sleep 1001 & sleep 1001",
                              "(setsid sh -c 'sleep 1001 & sleep 1001' &); sleep 1001", "trap '' TERM; sleep 1001; sleep 1001"}) {
    const std::string call = command;
    auto waiting = start(children->run(key(call), shell(command)));
    turn_until([&] { return tagged(call) >= 2; });
    ASSERT_TRUE(run(children->kill(key(call)))) << command;
    EXPECT_EQ(tagged(call), 0u) << command;
    EXPECT_EQ(finish(waiting)->cause, Cause::cancelled) << command;
  }
}

TEST_F(ChildrenTest, WhatItLeavesBehindEndsWithItsRun) {
  const auto ended = run(children->run(key(), shell("sleep 1001 >/dev/null 2>&1 & echo started")));
  EXPECT_EQ(ended->exit_code, 0);
  EXPECT_EQ(tagged(), 1u);
  ASSERT_TRUE(run(children->kill_all("r", 1)));
  EXPECT_EQ(tagged(), 0u);
}

TEST_F(ChildrenTest, AnOwnerThatDiedLeavesAnUnknownOutcomeAndNoProcess) {
  auto waiting = start(children->run(key(), shell("setsid sleep 1001 & sleep 1001")));
  turn_until([&] { return tagged() >= 2; });
  ::kill(shim(), SIGKILL);
  const auto ended = finish(waiting);
  EXPECT_EQ(ended->cause, Cause::lost);
  EXPECT_EQ(tagged(), 0u);
  EXPECT_EQ(run(children->run(key("c", 2), shell("true")))->cause, Cause::lost);
}

TEST_F(ChildrenTest, ALaterExecutorFencesAnEarlierOne) {
  auto earlier = start(children->run(key("c", 1), shell("sleep 1001")));
  turn_until([&] { return children->directory(key()).owner().has_value(); });
  auto later = start(children->run(key("c", 2), shell("sleep 1001")));
  aio::SystemTime& clock = time;
  const auto until = clock.steady_ms() + 300;
  turn_until([&] { return clock.steady_ms() > until; });
  const auto refused = run(children->kill(key("c", 1)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::Errc::lease_lost);
  EXPECT_GE(tagged(), 1u);
  ASSERT_TRUE(run(children->kill(key("c", 2))));
  EXPECT_EQ(finish(later)->cause, Cause::cancelled);
  // The earlier one hears of the end too, unless it was already refused when it attached.
  const auto heard = finish(earlier);
  EXPECT_EQ(heard ? name(heard->cause) : base::name(heard.error().code),
            heard ? name(Cause::cancelled) : base::name(base::Errc::lease_lost));
}

TEST_F(ChildrenTest, WhatWasClosedBeforeItBeganNeverBegins) {
  children->directory(key()).make(shell("echo ran > trace"));
  ASSERT_TRUE(run(children->kill(key())));
  const auto ended = run(children->run(key("c", 2), shell("echo ran > trace")));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, base::Errc::cancelled);
  EXPECT_FALSE(fs::exists(home + "/trace"));
}

TEST_F(ChildrenTest, LeavesTheChildAloneWhenItsWaiterIsCut) {
  aio::Scope scope(io);
  auto cut = start(scope.run(children->run(key(), shell("sleep 0.5; echo whole"))));
  turn_until([&] { return tagged() >= 1; });
  scope.cancel();
  EXPECT_FALSE(finish(cut));
  EXPECT_EQ(run(children->run(key("c", 2), shell("true")))->exit_code, 0);
  EXPECT_EQ(output(), "whole\n");
}

TEST_F(ChildrenTest, ATerminalIsOneWhereItIsAskedFor) {
  auto spec = shell("tty >/dev/null && stty size");
  spec.terminal = Window{24, 100};
  if (const int master = posix_openpt(O_RDWR | O_NOCTTY); master >= 0)
    close(master);
  else
    GTEST_SKIP() << "no terminal to be had here";
  EXPECT_EQ(run(children->run(key(), spec))->exit_code, 0);
  EXPECT_EQ(output(), "24 100\r\n");
}

TEST(ChildCodec, RoundTrips) {
  ChildSpec spec{.argv = {"a", "b c"},
                 .directory = "/d",
                 .environment = {"A=1"},
                 .takes_input = true,
                 .terminal = Window{1, 2},
                 .wall_ms = 3,
                 .idle_ms = 4,
                 .output_bytes_max = 5};
  EXPECT_EQ(encode(*decode_child_spec(encode(spec))), encode(spec));
  for (const auto* text : {"", "[]", "{}", R"({"argv":[]})", R"({"argv":"x"})"}) EXPECT_FALSE(decode_child_spec(text)) << text;
  const Ended ended{.cause = Cause::signalled,
                    .exit_code = {},
                    .signal = 9,
                    .message = "m",
                    .started_ms = 1,
                    .ended_ms = 2,
                    .user_us = 3,
                    .system_us = 4,
                    .max_resident_kib = 5};
  EXPECT_EQ(encode(*decode_ended(encode(ended))), encode(ended));
  EXPECT_FALSE(decode_ended(R"({"cause":"bored"})"));
  EXPECT_EQ(decode_claim(kClosedClaim).error().code, base::Errc::not_found);
}

TEST(Excerpt, KeepsBothEndsAndCountsTheRest) {
  const std::string path = testing::TempDir() + "/excerpt-" + std::to_string(getpid());
  {
    std::ofstream file(path);
    for (int i = 0; i < 1'000; ++i) file << "line " << i << '\n';
  }
  const auto whole = read_excerpt(path, 10'000, 10'000);
  EXPECT_EQ(whole.omitted_bytes, 0u);
  EXPECT_EQ(whole.head.size(), whole.bytes);
  const auto cut = read_excerpt(path, 100, 200);
  EXPECT_TRUE(cut.head.starts_with("line 0\n") && cut.head.ends_with("\n"));
  EXPECT_TRUE(cut.tail.ends_with("line 999\n"));
  EXPECT_EQ(cut.head.size() + cut.tail.size() + cut.omitted_bytes, cut.bytes);
  const auto lines = [](const std::string& text) {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  };
  EXPECT_EQ(lines(cut.head) + lines(cut.tail) + cut.omitted_lines, 1'000u);
  EXPECT_EQ(read_excerpt(path + "-missing", 1, 1).bytes, 0u);
  const auto beside = read_excerpt(path, 100, 200, 50);
  const auto all = whole.head;
  EXPECT_EQ(beside.head + beside.beyond_head, all.substr(0, beside.head.size() + 50));
  EXPECT_EQ(beside.before_tail + beside.tail, all.substr(all.size() - beside.tail.size() - 50));
  const auto tail = read_tail(path, 2, 1'000, 10);
  EXPECT_EQ(tail.text, "line 998\nline 999\n");
  EXPECT_EQ(tail.before, "\nline 997\n");
  std::uint64_t begins = 0;
  EXPECT_EQ(read_around(path, 7, 3, begins), all.substr(4, 6));
  EXPECT_EQ(begins, 4u);
  EXPECT_EQ(read_around(path, 1, 3, begins), all.substr(0, 4));
  fs::remove(path);
}

}  // namespace
}  // namespace process
