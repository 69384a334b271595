#include "run/agent_fixture.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "run/recovery.h"

namespace run {
namespace {

TEST(AgentMachine, AsksTheModelThenEnds) {
  Script s;
  EXPECT_TRUE(std::holds_alternative<CallModel>(s.settle()));
  s.happens(TextDelta{"hi "});
  s.happens(TextDelta{"there"});
  s.happens(ModelCompleted{.model = "m", .provider = "p", .usage = {.input_tokens = 3, .output_tokens = 2}});
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.ended_with, Status::completed);
  EXPECT_EQ(s.reason, kReasonCompleted);
  EXPECT_EQ(std::get<RunCompleted>(s.log.back().payload).content, "hi there");
  EXPECT_EQ(std::get<RunCompleted>(s.log.back().payload).metrics.usage.total(), 5);
}

TEST(AgentMachine, ToolsAreStartedInTheLogBeforeTheyAreCalledAndAllAtOnce) {
  Script s;
  s.settle();
  s.happens(ModelCompleted{.tool_calls = {call("a"), call("b", "Read")}});
  const auto action = s.settle();
  ASSERT_TRUE(std::holds_alternative<CallTools>(action));
  EXPECT_EQ(std::get<CallTools>(action).calls.size(), 2u);
  EXPECT_EQ(s.count<ToolStarted>(), 2u);
  s.happens(ToolCompleted{.call = call("b", "Read"), .result = "B"});
  s.happens(ToolCompleted{.call = call("a"), .result = "A"});
  EXPECT_TRUE(std::holds_alternative<CallModel>(s.settle()));
  EXPECT_EQ(s.state.messages.size(), 4u);  // user, assistant, two results
}

TEST(AgentMachine, ACutModelCallIsMadeAgainAndItsTextCountsOnce) {
  Script s;
  s.settle();
  s.happens(TextDelta{"half a sen"});
  s.happens(ThinkingDelta{"hm"});
  s.crash();
  EXPECT_TRUE(std::holds_alternative<CallModel>(s.settle()));
  ASSERT_EQ(s.count<Superseded>(), 1u);
  const auto& cut = std::get<Superseded>(s.log.back().payload);
  EXPECT_EQ(cut.from, 2u);
  EXPECT_EQ(cut.to, 3u);
  s.taken_over = false;
  s.happens(TextDelta{"a sentence"});
  s.happens(ModelCompleted{});
  s.settle();
  EXPECT_EQ(std::get<RunCompleted>(s.log.back().payload).content, "a sentence");
}

TEST(AgentMachine, AFinishedModelCallIsNeverMadeAgain) {
  Script s;
  s.settle();
  s.happens(TextDelta{"done"});
  s.happens(ModelCompleted{});
  s.crash();
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.ended_with, Status::completed);
  EXPECT_EQ(s.count<ModelStarted>(), 1u);
}

TEST(AgentMachine, AnInterruptedToolIsReportedUnlessItMayBeRepeated) {
  Script s;
  s.settle();
  s.happens(ModelCompleted{.tool_calls = {call("a"), call("b", "Read")}});
  s.settle();
  s.crash();
  const auto action = s.settle();
  ASSERT_TRUE(std::holds_alternative<CallTools>(action));
  ASSERT_EQ(std::get<CallTools>(action).calls.size(), 1u);
  EXPECT_EQ(std::get<CallTools>(action).calls[0].id, "b");
  ASSERT_EQ(s.count<ToolCompleted>(), 1u);
  EXPECT_TRUE(s.state.messages.back().is_error);
  EXPECT_NE(s.state.messages.back().text.find("outcome is unknown"), std::string::npos);
}

TEST(AgentMachine, ACallThatFindsItselfIsMadeAgain) {
  Script s;
  s.settle();
  s.happens(ModelCompleted{.tool_calls = {call("a", "Attach")}});
  s.settle();
  s.crash();
  const auto action = s.settle();
  ASSERT_TRUE(std::holds_alternative<CallTools>(action));
  EXPECT_EQ(std::get<CallTools>(action).calls.front().id, "a");
  EXPECT_EQ(s.count<ToolCompleted>(), 0u);
}

// A run that was cut: in the middle of an answer, or of a call that may not be made again.
TEST(AgentMachine, ACallThatNobodyHadBegunIsMadeAfterATakeOver) {
  Script s;
  s.settle();
  s.happens(ModelCompleted{.tool_calls = {call("a"), call("b")}});
  s.crash();
  const auto action = s.settle();
  ASSERT_TRUE(std::holds_alternative<CallTools>(action));
  EXPECT_EQ(std::get<CallTools>(action).calls.size(), 2u);
  EXPECT_EQ(s.count<ToolCompleted>(), 0u);
}

TEST(AgentMachine, OnlyWhatTheDeadExecutorHadBegunIsInterrupted) {
  Script s;
  s.settle();
  s.happens(ModelCompleted{.tool_calls = {call("a"), call("b")}});
  s.happens(ToolStarted{.call = call("b")});
  s.crash();
  const auto action = s.settle();
  ASSERT_TRUE(std::holds_alternative<CallTools>(action));
  ASSERT_EQ(std::get<CallTools>(action).calls.size(), 1u);
  EXPECT_EQ(std::get<CallTools>(action).calls[0].id, "a");
  EXPECT_EQ(s.count<ToolCompleted>(), 1u);
}

TEST(AgentMachine, AFinishedToolIsNeverCalledAgain) {
  Script s;
  s.settle();
  s.happens(ModelCompleted{.tool_calls = {call("a"), call("b")}});
  s.settle();
  s.happens(ToolCompleted{.call = call("a"), .result = "A"});
  s.crash();
  s.settle();
  EXPECT_EQ(s.count<ToolCompleted>(), 2u);  // the finished one, and the report about the other
  EXPECT_EQ(s.state.messages[2].text, "A");
}

TEST(AgentMachine, CancelEndsWithThePartialContent) {
  Script s;
  s.settle();
  s.happens(TextDelta{"part"});
  s.cancel = true;
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.ended_with, Status::cancelled);
  EXPECT_EQ(s.state.status, Status::cancelled);
  EXPECT_EQ(std::get<RunCompleted>(s.log.back().payload).content, "part");
  EXPECT_EQ(s.count<RunCancelled>(), 1u);
}

TEST(AgentMachine, CancelBeforeTheStartStillBeginsWithRunStarted) {
  Script s;
  s.cancel = true;
  s.settle();
  EXPECT_TRUE(std::holds_alternative<RunStarted>(s.log.front().payload));
  EXPECT_EQ(s.state.status, Status::cancelled);
}

TEST(AgentMachine, LimitsEndTheRunWithTheirCause) {
  Script turns({.limits = {.turns = 1}});
  turns.settle();
  turns.happens(ModelCompleted{.tool_calls = {call("a")}});
  turns.settle();
  turns.happens(ToolCompleted{.call = call("a")});
  turns.settle();
  EXPECT_EQ(turns.reason, reason_of(Cause::turn_limit));

  Script time({.limits = {.timeout_ms = 500}});
  time.settle();
  time.now = 1500;
  time.settle();
  EXPECT_EQ(time.reason, reason_of(Cause::run_timeout));
  EXPECT_EQ(time.ended_with, Status::error);

  Script calls({.limits = {.tool_calls = 1}});
  calls.settle();
  calls.happens(ModelCompleted{.tool_calls = {call("a"), call("b")}});
  calls.settle();
  EXPECT_EQ(calls.reason, reason_of(Cause::tool_call_limit));
  EXPECT_EQ(calls.count<ToolStarted>(), 0u);

  Script tokens({.limits = {.tokens = 10}});
  tokens.settle();
  tokens.happens(ModelCompleted{.tool_calls = {call("a")}, .usage = {.input_tokens = 10, .output_tokens = 1}});
  tokens.settle();
  tokens.happens(ToolCompleted{.call = call("a")});
  tokens.settle();
  EXPECT_EQ(tokens.reason, reason_of(Cause::token_limit));

  Script money({.limits = {.cost_micros = 100}});
  money.settle();
  money.happens(ModelCompleted{.tool_calls = {call("a")}, .usage = {.cost_micros = 100}});
  money.settle();
  money.happens(ToolCompleted{.call = call("a")});
  money.settle();
  EXPECT_EQ(money.reason, reason_of(Cause::cost_limit));
}

TEST(AgentMachine, ATaskThatNeedsApprovalPausesAndGoesOn) {
  Script s({.tools = {{"Bash", Gate::approve}, {"Read", Gate::allow}}});
  s.settle();
  s.happens(ModelCompleted{.tool_calls = {call("a"), call("b", "Read"), call("c")}});
  auto action = s.settle();
  ASSERT_TRUE(std::holds_alternative<CallTools>(action));  // what needs no approval first
  s.happens(ToolCompleted{.call = call("b", "Read"), .result = "B"});
  EXPECT_TRUE(std::holds_alternative<Idle>(s.settle()));
  EXPECT_EQ(s.ended_with, Status::paused);
  EXPECT_EQ(std::get<RunPaused>(s.log.back().payload).calls.size(), 2u);

  s.happens(RunContinued{{{"a", true, ""}, {"c", false, "not today"}}});
  action = s.settle();
  ASSERT_TRUE(std::holds_alternative<CallTools>(action));
  EXPECT_EQ(std::get<CallTools>(action).calls[0].id, "a");
  EXPECT_EQ(s.state.messages.back().text, "not today");
}

TEST(AgentMachine, AnEmptyAnswerIsCompletedEmpty) {
  Script s;
  s.settle();
  s.happens(ModelCompleted{});
  s.settle();
  EXPECT_EQ(s.reason, kReasonCompletedEmpty);
}

// Whatever happens and wherever it crashes: a run ends once, folds are equal, ended calls are not repeated, text counts once.
RC_GTEST_PROP(AgentMachineProperty, AnyHistoryOfCrashesReachesOneEnd, ()) {
  Script s({.tools = {{"Bash", Gate::allow}, {"Read", Gate::allow}}, .limits = {.turns = 8}});
  std::string expected;
  int call_number = 0, turns = 0;
  const int total_turns = *rc::gen::inRange(1, 6);
  std::vector<std::string> performed;
  for (int step = 0; step < 400 && !is_terminal(s.state.status); ++step) {
    if (*rc::gen::inRange(0, 6) == 0) s.crash();
    if (*rc::gen::inRange(0, 60) == 0) s.cancel = true;
    const auto action = s.settle();
    s.taken_over = false;
    if (std::holds_alternative<CallModel>(action)) {
      std::string text;
      const int deltas = *rc::gen::inRange(0, 4);
      for (int i = 0; i < deltas; ++i)
        s.happens(TextDelta{"t" + std::to_string(step) + "."}), text += "t" + std::to_string(step) + ".";
      if (*rc::gen::inRange(0, 4) == 0) {
        s.crash();  // the half text is superseded by the next settle
        continue;
      }
      expected += text;
      ModelCompleted done;
      if (++turns < total_turns)
        for (int i = *rc::gen::inRange(1, 4); i > 0; --i)
          done.tool_calls.push_back(call("c" + std::to_string(call_number++), i % 2 ? "Bash" : "Read"));
      s.happens(std::move(done));
    } else if (const auto* tools = std::get_if<CallTools>(&action)) {
      for (const auto& one : tools->calls) {
        if (*rc::gen::inRange(0, 5) == 0) break;  // a crash comes before the rest are done
        RC_ASSERT(std::ranges::count(performed, one.id) == 0);
        performed.push_back(one.id);
        s.happens(ToolCompleted{.call = one, .result = "r"});
      }
      if (*rc::gen::inRange(0, 3) == 0) s.crash();
    }
  }
  RC_ASSERT(is_terminal(s.state.status));
  RC_ASSERT(s.count<RunCompleted>() + s.count<RunError>() == 1u);
  if (s.state.status == Status::completed) RC_ASSERT(std::get<RunCompleted>(s.log.back().payload).content == expected);
  // Codec: the log read back folds to the same.
  auto folded = initial_state(s.spec, 1000);
  for (const auto& event : s.log) {
    const auto read = decode(encode(event));
    RC_ASSERT(read.has_value());
    apply(folded, *read);
  }
  RC_ASSERT(folded.content == s.state.content && folded.messages == s.state.messages && folded.status == s.state.status);
}

}  // namespace
}  // namespace run
