// list_tasks of background_run, whatever there is to list.
#include <gtest/gtest.h>

#include "aio/time.h"
#include "base/json.h"
#include "base/limits.h"
#include "tool/task_tools.h"
#include "tool/tasks.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

// Knows a number of live tasks, and nothing else.
class FakeTasks final : public Tasks {
 public:
  explicit FakeTasks(std::size_t count) : count_(count) {}
  aio::Task<std::vector<TaskView>> list(const Context&) override {
    std::vector<TaskView> views(count_, {.name = "Bash", .full_name = "shell.bash"});
    for (std::size_t i = 0; i < views.size(); ++i) views[i].task_id = "task-" + std::to_string(i);
    co_return views;
  }

  aio::Task<base::Result<TaskView>> launch(const Context&, TaskLaunch) override { co_return none(); }
  aio::Task<base::Result<TaskView>> find(const Context&, std::string) override { co_return none(); }
  aio::Task<std::vector<TaskView>> wait(const Context&, std::vector<std::string>, Until, std::int64_t) override {
    co_return std::vector<TaskView>();
  }
  aio::Task<base::Result<TaskView>> cancel(const Context&, std::string) override { co_return none(); }
  aio::Task<base::Result<TaskView>> promote(const Context&, std::string) override { co_return none(); }
  aio::Task<> end_awaited(std::string, std::string) override { co_return; }
  aio::Task<base::Result<boost::json::object>> output(const TaskView&, std::size_t) override { co_return none(); }
  aio::Task<base::Result<Sighting>> scan(const TaskView&, std::string, ScanFrom) override { co_return none(); }
  aio::Task<base::Result<>> send(const TaskView&, boost::json::object) override { co_return none(); }

 private:
  static std::unexpected<base::Error> none() { return base::fail(base::Errc::not_found, "none"); }
  const std::size_t count_;
};

class TaskListTest : public ToolTest {
 protected:
  boost::json::array list(std::size_t count) {
    FakeTasks tasks(count);
    Context context{.run_id = "run", .call_id = "call"};
    context.tasks = &tasks;
    const auto outcome = await(toolbox_of_tasks.call("background_run", R"({"list_tasks":true})", std::move(context)));
    EXPECT_FALSE(outcome.is_error);
    EXPECT_LE(outcome.text.size(), base::limits::kToolResultBytesMax);
    const auto value = base::parse_json(outcome.text);
    EXPECT_TRUE(value && value->is_array()) << outcome.text.substr(0, 200);
    return value && value->is_array() ? value->get_array() : boost::json::array();
  }

  boost::asio::io_context io;
  aio::SystemTime time{io};
  Toolbox toolbox_of_tasks{task_tools(time)};
};

TEST_F(TaskListTest, AFewAreListedWhole) {
  const auto all = list(3);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].at("task_id"), "task-2");
  EXPECT_TRUE(list(0).empty());
}

TEST_F(TaskListTest, WhatDoesNotFitIsCounted) {
  const auto some = list(5'000);
  ASSERT_GT(some.size(), 100u);
  EXPECT_EQ(some.back().at("left_out").to_number<std::size_t>(), 5'000 - (some.size() - 1));
}

}  // namespace
}  // namespace tool
