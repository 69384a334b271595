#include "mcp/stdio_transport.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

#include "base/limits.h"
#include "base/text.h"
#include "mcp/conversation.h"

namespace mcp {
namespace {

class Recorder final : public Listener {
 public:
  explicit Recorder(boost::asio::io_context& io) : changed(io) {}
  void received(std::string_view text) override {
    messages.emplace_back(text);
    changed.notify_all();
  }
  void received_too_long() override { received("<too long>"); }
  aio::Task<> wait(std::size_t count) {
    while (messages.size() < count) co_await changed.wait();
  }
  std::vector<std::string> messages;
  aio::Notifier changed;
};

// A transport to a shell that plays the server.
class StdioTransportTest : public testing::Test {
 protected:
  StdioTransportTest() { std::signal(SIGPIPE, SIG_IGN); }

  StdioTransport transport(std::string script) {
    return StdioTransport(
        io, time,
        {.argv = {"/bin/sh", "-c", std::move(script)}, .environment = {"PATH=/usr/bin:/bin", "NAME=value"}, .directory = "/tmp"});
  }

  void run(aio::Task<> test) {
    std::exception_ptr failure;
    boost::asio::steady_timer watchdog(io, std::chrono::seconds(20));
    watchdog.async_wait([this](boost::system::error_code ec) {
      if (ec) return;
      ADD_FAILURE() << "the test hangs";
      io.stop();
    });
    boost::asio::co_spawn(io, std::move(test), [&](std::exception_ptr thrown) {
      failure = thrown;
      watchdog.cancel();
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
  }

  boost::asio::io_context io{1};
  aio::SystemTime time{io};
  Recorder heard{io};
};

TEST_F(StdioTransportTest, LinesGoBothWays) {
  auto subject = transport(R"(echo "$NAME $(pwd) [$HOME]"; read line; echo "got $line"; echo oops >&2; exit 3)");
  auto test = [&]() -> aio::Task<> {
    co_await subject.send("a message", heard);
    const auto why = co_await subject.listen(heard);
    EXPECT_EQ(why, "the server ended; it wrote: oops");
    EXPECT_EQ(heard.messages, (std::vector<std::string>{"value /tmp []", "got a message"}));
    EXPECT_FALSE(co_await subject.send("late", heard));
    co_await subject.close();
  };
  run(test());
}

TEST_F(StdioTransportTest, AProgramThatIsNotThere) {
  StdioTransport subject(io, time, {.argv = {"no-such-program"}, .environment = {"PATH=/usr/bin"}, .directory = "/"});
  StdioTransport elsewhere(io, time, {.argv = {"/bin/true"}, .environment = {}, .directory = "/no/such/directory"});
  auto test = [&]() -> aio::Task<> {
    EXPECT_EQ(co_await subject.listen(heard), "cannot run no-such-program: No such file or directory");
    EXPECT_EQ(co_await elsewhere.listen(heard), "cannot work in /no/such/directory: No such file or directory");
    co_await subject.close();
    co_await elsewhere.close();
  };
  run(test());
}

TEST_F(StdioTransportTest, ClosingEndsTheWholeGroupThoughItDoesNotWant) {
  auto subject = transport("trap '' TERM; (trap '' TERM; sleep 1000) & echo $!; echo $$; while :; do sleep 1000; done");
  aio::TaskGroup group(io, [](const std::string&, const std::string& what) { ADD_FAILURE() << what; });
  auto listening = [&]() -> aio::Task<> { co_await subject.listen(heard); };
  auto test = [&]() -> aio::Task<> {
    group.spawn("listen", listening());
    co_await heard.wait(2);
    group.cancel();
    co_await group.join();
    const auto started = time.steady_ms();
    co_await subject.close();
    EXPECT_LT(time.steady_ms() - started, 3'000);
    for (const auto& pid : heard.messages) EXPECT_FALSE(base::identity_of(*base::parse_int(pid))) << pid;
  };
  run(test());
}

TEST_F(StdioTransportTest, WhatIsTooLongIsLeftOutAndNotKept) {
  auto subject =
      transport("head -c 10000000 /dev/zero | tr '\\0' x; echo; echo after; head -c 100000 /dev/zero | tr '\\0' y >&2");
  auto test = [&]() -> aio::Task<> {
    const auto why = co_await subject.listen(heard);
    EXPECT_LT(why.size(), base::limits::kMcpErrorTailBytes + 100);
    EXPECT_EQ(heard.messages, (std::vector<std::string>{"<too long>", "after"}));
    co_await subject.close();
  };
  run(test());
}

TEST_F(StdioTransportTest, AServerThatDoesNotReadIsNotWrittenToForEver) {
  auto subject = transport("exec 2>&-; sleep 1000");
  aio::TaskGroup group(io, [](const std::string&, const std::string& what) { ADD_FAILURE() << what; });
  auto listening = [&]() -> aio::Task<> { co_await subject.listen(heard); };
  auto test = [&]() -> aio::Task<> {
    group.spawn("listen", listening());
    const std::string block(1 << 20, 'x');
    int taken = 0;
    while (co_await subject.send(block, heard)) EXPECT_LT(++taken, 20);
    EXPECT_GT(taken, 4);
    group.cancel();
    co_await group.join();
    co_await subject.close();
  };
  run(test());
}

}  // namespace
}  // namespace mcp
