// What tasks ask of the machine: runs that are one call, notices, approvals of what is wrapped.
#include <gtest/gtest.h>

#include "run/agent_fixture.h"

namespace run {
namespace {

TEST(ToolRun, IsOneCallAndEndsWithIt) {
  Script s({.call = call("call", "Bash")});
  ASSERT_TRUE(std::holds_alternative<CallTools>(s.settle()));
  EXPECT_EQ(s.count<ModelStarted>(), 0u);
  s.happens(ToolCompleted{.call = call("call", "Bash"), .result = "done"});
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.ended_with, Status::completed);
  EXPECT_EQ(std::get<RunCompleted>(s.log.back().payload).content, "done");

  Script failing({.call = call("call", "Bash")});
  failing.settle();
  failing.happens(ToolCompleted{.call = call("call", "Bash"), .result = "exit 3", .is_error = true});
  failing.settle();
  EXPECT_EQ(failing.ended_with, Status::error);
  EXPECT_EQ(std::get<RunError>(failing.log.back().payload).cause, Cause::tool_failed);

  Script cut({.call = call("call", "Bash")});
  cut.settle();
  cut.crash();
  cut.settle();
  EXPECT_EQ(cut.ended_with, Status::error) << "interrupted, outcome unknown";
  Script attached({.call = call("call", "Attach")});
  attached.settle();
  attached.crash();
  EXPECT_TRUE(std::holds_alternative<CallTools>(attached.settle()));
}

TEST(Notices, AreToldBeforeTheMessageThatIsAnswered) {
  Script s;
  s.notices = {{7, Notice{"t", "[BACKGROUND TASK COMPLETED] task_id=t"}}};
  s.settle();
  ASSERT_EQ(s.state.messages.size(), 2u);
  EXPECT_EQ(s.state.messages.front().role, Role::system);
  EXPECT_EQ(s.state.messages.back().role, Role::user);
  EXPECT_EQ(s.told, std::vector<std::int64_t>{7});
  // In the middle of the run they stand where the conversation is.
  s.happens(ModelCompleted{.tool_calls = {call("a")}});
  s.settle();
  s.happens(ToolCompleted{.call = call("a"), .result = "A"});
  s.notices = {{8, Notice{"u", "news"}}};
  s.settle();
  EXPECT_EQ(s.state.messages.back().text, "news");
  EXPECT_EQ(s.state.messages[3].role, Role::tool);
}

TEST(Notices, OfHooksFollowTheResultsOfCallsUnderWay) {
  Script s;
  s.settle();
  s.happens(ModelCompleted{.tool_calls = {call("a"), call("b")}});
  s.settle();
  s.happens(Notice{.task_id = "", .text = "traced", .hook = "h"});
  s.happens(ToolCompleted{.call = call("b"), .result = "B"});
  EXPECT_EQ(s.state.messages.back().text, "B");
  s.happens(ToolCompleted{.call = call("a"), .result = "A"});
  EXPECT_EQ(s.state.messages.back().text, "traced");
  EXPECT_EQ(s.state.messages.back().role, Role::system);
  s.settle();
  s.happens(ModelCompleted{});
  s.happens(Notice{.task_id = "", .text = "go on", .hook = "h", .as_user = true});
  EXPECT_EQ(s.state.messages.back().role, Role::user);
  EXPECT_TRUE(std::holds_alternative<CallModel>(s.settle())) << "an end that a hook has put off";
}

TEST(Compaction, KeepsTheQuestionAndNoAnswerWithoutItsCall) {
  Script s;
  s.settle();
  for (const auto* id : {"a", "b", "c"}) {
    s.happens(ModelCompleted{.tool_calls = {call(id)}});
    s.settle();
    s.happens(ToolCompleted{.call = call(id), .result = id});
    s.settle();
  }
  ASSERT_EQ(s.state.messages.size(), 7u);
  s.happens(ContextCompacted{.kept = 3, .dropped = 4});
  std::vector<Role> roles;
  for (const auto& message : s.state.messages) roles.push_back(message.role);
  EXPECT_EQ(roles, (std::vector{Role::system, Role::user, Role::assistant, Role::tool}));
  EXPECT_EQ(s.state.messages[1].text, "hello");
  EXPECT_EQ(s.state.past_kept, 0u);
  s.happens(ContextCompacted{.kept = 10, .dropped = 1});
  EXPECT_EQ(s.state.past_kept, 6u);
  EXPECT_EQ(s.state.messages.size(), 4u);
}

TEST(Approval, OfAToolHoldsForCallsThatWrapIt) {
  Spec spec;
  spec.tools = {{.name = "Bash", .gate = Gate::approve}, {.name = "Read"}, {.name = "background_run"}, {.name = "run_parallel"}};
  const auto pauses = [&spec](std::string name, std::string arguments) {
    Script s(spec);
    s.settle();
    s.happens(ModelCompleted{.tool_calls = {{.id = "a", .name = std::move(name), .arguments = std::move(arguments)}}});
    s.settle();
    return s.ended_with == Status::paused;
  };
  EXPECT_TRUE(pauses("background_run", R"({"name":"Bash","params":{"command":"x"}})"));
  EXPECT_TRUE(pauses("background_run", R"({"tool":"Bash","args":"{}"})"));
  EXPECT_TRUE(pauses("run_parallel", R"({"items":[{"name":"Read"},{"action":"Bash"}]})"));
  EXPECT_TRUE(pauses("run_parallel", R"({"actions":"[{\"name\":\"Bash\"}]"})"));
  EXPECT_TRUE(pauses("background_run", R"({"name":"run_parallel","params":{"actions":[{"name":"Bash"}]}})"));
  EXPECT_FALSE(pauses("background_run", R"({"name":"Read"})"));
  EXPECT_FALSE(pauses("background_run", R"({"task_id":"x","wait":true})"));
  EXPECT_FALSE(pauses("background_run", "{oops"));
}

}  // namespace
}  // namespace run
