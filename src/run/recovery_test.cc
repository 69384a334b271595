#include "run/recovery.h"

#include <gtest/gtest.h>

#include "run/agent_fixture.h"

namespace run {
namespace {

Script cut_script(Recovery policy, bool in_tool) {
  Script s({.recovery = policy});
  s.settle();
  if (in_tool) {
    s.happens(ModelCompleted{.tool_calls = {call("a")}});
    s.settle();
  } else {
    s.happens(TextDelta{"half"});
  }
  s.crash();
  return s;
}

TEST(Recovery, RetryMakesACallAgainWhateverItDoes) {
  auto s = cut_script(Recovery::retry, true);
  EXPECT_TRUE(std::holds_alternative<CallTools>(s.settle()));
}

TEST(Recovery, FailEndsTheRunWithItsCause) {
  for (const bool in_tool : {false, true}) {
    auto s = cut_script(Recovery::fail, in_tool);
    EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
    EXPECT_EQ(s.ended_with, Status::error);
    EXPECT_EQ(std::get<RunError>(s.log.back().payload).cause, Cause::worker_lost);
  }
}

TEST(Recovery, AskPausesAndGoesOnAsDecided) {
  for (const bool approve : {true, false}) {
    auto s = cut_script(Recovery::ask, true);
    EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
    EXPECT_EQ(s.reason, kReasonInterrupted);
    s.happens(RunContinued{{{.call_id = "a", .approved = approve}}});
    s.taken_over = false;
    EXPECT_EQ(std::holds_alternative<CallTools>(s.settle()), approve);
  }
  auto s = cut_script(Recovery::ask, false);
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.count<Superseded>(), 1u);
  s.happens(RunContinued{});
  s.taken_over = false;
  EXPECT_TRUE(std::holds_alternative<CallModel>(s.settle()));
}

TEST(Recovery, AToolsOwnPolicyGoesBeforeTheRuns) {
  const auto cut_call = [](Recovery of_run, Recovery of_tool) {
    Spec spec{.recovery = of_run};
    spec.tools = {{.name = call("a").name, .recovery = of_tool}};
    Script s(spec);
    s.settle();
    s.happens(ModelCompleted{.tool_calls = {call("a")}});
    s.settle();
    s.crash();
    s.settle();
    return s;
  };
  EXPECT_EQ(cut_call(Recovery::resume, Recovery::fail).ended_with, Status::error);
  EXPECT_EQ(cut_call(Recovery::fail, Recovery::ask).reason, kReasonInterrupted);
  EXPECT_EQ(cut_call(Recovery::fail, Recovery::retry).count<ToolCompleted>(), 0u);
  EXPECT_EQ(cut_call(Recovery::retry, Recovery::resume).count<ToolCompleted>(), 1u) << "said to be interrupted";

  Spec spec{.recovery = Recovery::ask};
  spec.tools = {{.name = call("a").name, .recovery = Recovery::fail}};
  Script s(spec);
  s.settle();
  s.happens(TextDelta{"half"});
  s.crash();
  s.settle();
  EXPECT_EQ(s.reason, kReasonInterrupted) << "a model call is the run's own";
}

TEST(Recovery, ContinueWithPartialKeepsWhatWasSaid) {
  auto s = cut_script(Recovery::continue_with_partial, false);
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.ended_with, Status::completed);
  EXPECT_EQ(std::get<RunCompleted>(s.log.back().payload).content, "half");
}

TEST(Recovery, ACrashLoopIsParkedWhateverThePolicy) {
  auto s = cut_script(Recovery::resume, false);
  s.crashes = kCrashesMax;
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.reason, kReasonCrashLoop);
  EXPECT_EQ(s.state.content, "");
}

TEST(Recovery, NamesRoundTrip) {
  for (const auto policy : {Recovery::resume, Recovery::retry, Recovery::ask, Recovery::fail, Recovery::continue_with_partial})
    EXPECT_EQ(parse_recovery(name(policy)), policy);
  EXPECT_FALSE(parse_recovery("hope"));
}

}  // namespace
}  // namespace run
