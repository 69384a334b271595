#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "tool/background_arguments.h"
#include "tool/task_result.h"

namespace tool {
namespace {

using testing::HasSubstr;

base::Result<BackgroundArguments> read(std::string_view text) { return read_background_arguments(base::parse_json(text)->as_object()); }

template <class Request>
Request as(std::string_view text) {
  const auto arguments = read(text);
  EXPECT_TRUE(arguments) << text << (arguments ? "" : arguments.error().message);
  const auto* request = arguments ? std::get_if<Request>(&arguments->request) : nullptr;
  EXPECT_TRUE(request) << text;
  return request ? *request : Request{};
}

std::string problem(std::string_view text) {
  const auto arguments = read(text);
  EXPECT_FALSE(arguments) << text;
  return arguments ? "" : arguments.error().message;
}

TEST(BackgroundArguments, TheFirstOfTheModesThatIsAskedFor) {
  as<ListRequest>(R"({"list_tasks":true,"cancel":true,"task_id":"x"})");
  as<ListRequest>(R"({"list":"true"})");
  EXPECT_EQ(as<CancelRequest>(R"({"cancel":1,"id":"x","wait":true})").task_id, "x");
  EXPECT_EQ(as<SignalRequest>(R"({"signal":"INT","task_id":"x"})").signal, "SIGINT");
  EXPECT_EQ(as<InputRequest>(R"({"stdin":"hi\n","taskId":"x","wait":true})").data, "hi\n");
  EXPECT_TRUE(as<InputRequest>(R"({"stdin_end":true,"task_id":"x"})").end);
  EXPECT_EQ(as<StatusRequest>(R"({"task_id":"x","wait":false})").task_id, "x");
  EXPECT_EQ(as<StatusRequest>(R"({"task_id":7})").task_id, "7");
  as<LaunchRequest>(R"({"name":"Bash","cancel":false,"list_tasks":"false"})");
}

TEST(BackgroundArguments, Waits) {
  const auto one = as<WaitRequest>(R"({"task_id":"x","wait":"true","timeout":"30"})");
  EXPECT_EQ(one.task_ids, std::vector<std::string>{"x"});
  EXPECT_EQ(one.timeout_s, 30);
  EXPECT_FALSE(one.several);
  const auto any = as<WaitRequest>(R"({"task_ids":["a","b"],"mode":"any","timeout":99999})");
  EXPECT_EQ(any.until, Tasks::Until::any);
  EXPECT_EQ(any.timeout_s, 3600);
  EXPECT_TRUE(any.several);
  EXPECT_EQ(as<WaitRequest>(R"({"task_ids":"[\"a\"]","wait":"any"})").until, Tasks::Until::any);
  EXPECT_EQ(as<WaitRequest>(R"({"task_ids":["a"],"wait":true,"timeout":-3})").timeout_s, 1);
}

TEST(BackgroundArguments, LaunchesAndRefusals) {
  const auto launch = as<LaunchRequest>(R"({"name":"Bash","params":{"command":"a"},"wait":true,"settle_seconds":0})");
  EXPECT_TRUE(launch.wait);
  EXPECT_EQ(launch.timeout_s, 60);
  EXPECT_EQ(launch.settle_s, 0);
  EXPECT_EQ(problem("{}"), "Provide either: name+params to launch, task_id to check/cancel/wait, or list_tasks=true to list all.");
  EXPECT_EQ(problem(R"({"params":{"a":1}})"), "background_run launch: 'name' is required");
  EXPECT_EQ(problem(R"({"cancel":true})"), "background_run cancel: 'task_id' is required");
  EXPECT_EQ(problem(R"({"signal":"SIGKILL","task_id":"x"})"), "unsupported signal \"SIGKILL\" (use SIGTERM or SIGINT)");
  EXPECT_THAT(problem(R"({"name":"Bash","params":"{oops"})"), HasSubstr("background_run: `params` for \"Bash\" is not valid JSON"));
  EXPECT_THAT(problem(R"({"task_ids":[1]})"), HasSubstr("'task_ids' is a list"));
}

TaskView ended(TaskState state, std::string result) {
  return {.task_id = "T", .name = "Bash", .full_name = "shell.bash", .state = state, .started_ms = 1'000, .ended_ms = 3'340, .result = std::move(result)};
}

TEST(TaskResult, TheDocumentedKeysAndMore) {
  const auto done = describe(ended(TaskState::completed, R"({"stdout":"hi\n","exit_code":0,"cause":"exited"})"), 9'000);
  EXPECT_EQ(base::to_text(done.at("elapsed_seconds")), "2.3");
  EXPECT_EQ(done.at("status"), "completed");
  EXPECT_EQ(done.at("result").at("stdout"), "hi\n");
  EXPECT_EQ(done.at("exit_code"), 0);
  const auto failed = describe(ended(TaskState::errored, R"({"stdout":"out\n","stderr":"oops\n","exit_code":3})"), 9'000);
  EXPECT_EQ(failed.at("error"), "out\noops\nexit code 3");
  const auto lost = describe(ended(TaskState::interrupted, ""), 9'000);
  EXPECT_EQ(lost.at("status"), "failed");
  EXPECT_EQ(lost.at("state"), "interrupted");
  EXPECT_EQ(describe(ended(TaskState::completed, "plain"), 9'000).at("result"), "plain");
}

TEST(TaskResult, NoticesSayWhatCameAndKeepTheEnd) {
  EXPECT_EQ(ended_notice(ended(TaskState::completed, R"({"stdout":"hi\n","exit_code":0})")),
            "[BACKGROUND TASK COMPLETED] task_id=T tool=shell.bash elapsed=2.3s\noutput:\nhi");
  EXPECT_EQ(ended_notice(ended(TaskState::completed, R"({"stdout":"","exit_code":0})")),
            "[BACKGROUND TASK COMPLETED] task_id=T tool=shell.bash elapsed=2.3s");
  const auto cut = ended_notice(ended(TaskState::errored, R"({"stdout":")" + std::string(5'000, 'x') + R"(END","exit_code":9})"));
  EXPECT_THAT(cut, HasSubstr("FAILED"));
  EXPECT_THAT(cut, HasSubstr("output:\n…(truncated)…xx"));
  EXPECT_THAT(cut, HasSubstr("xEND\nexit code 9"));
  EXPECT_LT(cut.size(), 2'200u);
}

}  // namespace
}  // namespace tool
