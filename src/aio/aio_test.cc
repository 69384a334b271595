#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "aio/notifier.h"
#include "aio/offload.h"
#include "aio/scope.h"
#include "aio/task_group.h"
#include "aio/time.h"

namespace aio {
namespace {

using std::chrono::milliseconds;

struct Loop {
  asio::io_context io{1};
  SystemTime time{io};
  std::vector<std::string> failures;
  TaskGroup group{io, [this](const std::string& name, const std::string& what) { failures.push_back(name + ": " + what); }};

  void run() {
    io.restart();
    io.run_for(std::chrono::seconds(5));
  }
};

Task<> count_wakes(Notifier& notifier, int& wakes) {
  for (;;) {
    co_await notifier.wait();
    ++wakes;
  }
}
Task<> fail_with(std::string what) {
  throw std::runtime_error(what);
  co_return;
}
Task<> stop_soon(TaskGroup& group, Time& time) {
  co_await time.sleep(milliseconds(10));
  group.cancel();
}
Task<> wait_with_limit(Time& time, Notifier& notifier) { co_await wait_for(time, notifier, milliseconds(60'000)); }

TEST(Notifier, WakesEveryoneAndEndsByCancellation) {
  Loop loop;
  Notifier notifier(loop.io);
  int a = 0, b = 0;
  loop.group.spawn("a", count_wakes(notifier, a));
  loop.group.spawn("b", count_wakes(notifier, b));
  asio::post(loop.io, [&] { notifier.notify_all(); });
  asio::co_spawn(loop.io, stop_soon(loop.group, loop.time), [](std::exception_ptr) {});
  loop.run();
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 1);
  EXPECT_EQ(loop.group.size(), 0u);
  EXPECT_TRUE(loop.failures.empty());
}

// A cancelled `a || b` throws two exceptions in one: it is a cancellation all the same.
TEST(Notifier, ACancelledWaitWithALimitIsNoFailure) {
  Loop loop;
  Notifier notifier(loop.io);
  loop.group.spawn("wait", wait_with_limit(loop.time, notifier));
  asio::co_spawn(loop.io, stop_soon(loop.group, loop.time), [](std::exception_ptr) {});
  loop.run();
  EXPECT_EQ(loop.group.size(), 0u);
  EXPECT_EQ(loop.failures, std::vector<std::string>{});
}

Task<> wait_twice(Time& time, Notifier& notifier, bool& limited, bool& notified) {
  limited = !co_await wait_for(time, notifier, milliseconds(5));
  notified = co_await wait_for(time, notifier, milliseconds(5'000));
}
Task<> notify_later(Time& time, Notifier& notifier) {
  co_await time.sleep(milliseconds(50));
  notifier.notify_all();
}

TEST(Notifier, WaitForSaysWhichCameFirst) {
  Loop loop;
  Notifier notifier(loop.io);
  bool limited = false, notified = false;
  loop.group.spawn("wait", wait_twice(loop.time, notifier, limited, notified));
  loop.group.spawn("notify", notify_later(loop.time, notifier));
  loop.run();
  EXPECT_TRUE(limited);
  EXPECT_TRUE(notified);
}

TEST(TaskGroup, ReportsFailuresByNameAndRefusesAfterClose) {
  Loop loop;
  EXPECT_TRUE(loop.group.spawn("one", fail_with("broken")));
  loop.run();
  EXPECT_EQ(loop.failures, std::vector<std::string>{"one: broken"});
  loop.group.close();
  EXPECT_FALSE(loop.group.spawn("two", fail_with("never")));
}

Task<int> slow(Time& time) {
  co_await time.sleep(milliseconds(60'000));
  co_return 1;
}
Task<int> quick(Time& time) {
  co_await time.sleep(milliseconds(1));
  co_return 7;
}
Task<> use_scope(Scope& scope, Time& time, std::optional<int>& first, std::optional<int>& second) {
  auto one = quick(time);
  first = co_await scope.run(std::move(one));
  auto two = slow(time);
  second = co_await scope.run(std::move(two));
}

TEST(Scope, GivesTheResultOrNothingWhenCancelledAndTheParentGoesOn) {
  Loop loop;
  Scope scope(loop.io);
  std::optional<int> first, second = 99;
  loop.group.spawn("parent", use_scope(scope, loop.time, first, second));
  asio::steady_timer timer(loop.io, milliseconds(50));
  timer.async_wait([&](boost::system::error_code) { scope.cancel(); });
  loop.run();
  EXPECT_EQ(first, 7);
  EXPECT_EQ(second, std::nullopt);
  EXPECT_TRUE(loop.failures.empty());
}

Task<> offload_once(Offload& offload, std::thread::id& worker, bool& broke) {
  auto who = [] { return std::this_thread::get_id(); };
  worker = co_await offload.run(who);
  auto breaks = []() -> int { throw std::runtime_error("inside"); };
  try {
    co_await offload.run(breaks);
  } catch (const std::runtime_error&) {
    broke = true;
  }
}

TEST(Offload, WorksElsewhereAndComesBackWithItsException) {
  Loop loop;
  Offload offload(1);
  std::thread::id worker;
  bool broke = false;
  loop.group.spawn("offload", offload_once(offload, worker, broke));
  loop.run();
  EXPECT_TRUE(worker != std::this_thread::get_id());
  EXPECT_TRUE(worker != std::thread::id());
  EXPECT_TRUE(broke);
}

}  // namespace
}  // namespace aio
