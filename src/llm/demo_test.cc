#include "llm/demo.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "aio/scope.h"
#include "llm/demo_play.h"
#include "llm/llm_fixture.h"

namespace llm {
namespace {

using base::Errc;

class DemoTest : public testing::Test {
 protected:
  using Outcome = std::expected<ModelResult, ModelError>;

  DemoTest() { request.model = "fast"; }

  Outcome call() {
    sink = RecordingSink();
    DemoProvider provider(time, memory, options);
    return run_task(io, provider.call(request, sink));
  }
  Outcome say(const std::string& prompt) {
    request.messages = {user(prompt)};
    return call();
  }

  boost::asio::io_context io{1};
  VirtualTime time;
  DemoMemory memory;
  DemoOptions options;
  ModelRequest request;
  RecordingSink sink;
};

TEST_F(DemoTest, TokensAreDeterministic) {
  const auto first = say("tokens=3");
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(sink.said, "w0 w1 w2 ");
  EXPECT_EQ(sink.text_count, 3);
  EXPECT_EQ(first->usage.output_tokens, 3);
  EXPECT_EQ(first->usage.input_tokens, 2);
  EXPECT_EQ(first->stop, StopReason::end);
  const auto second = say("tokens=3");
  EXPECT_EQ(second->response_id, first->response_id);
  say("tokens=2 size=6");
  EXPECT_EQ(sink.said, "w0    w1    ");
}

TEST_F(DemoTest, RateIsKeptAgainstAnAbsoluteSchedule) {
  // Waits for the sink take time too; the schedule makes up for it.
  say("tokens=401 rate=40");
  EXPECT_EQ(time.now_ms, 10'000);
  time.now_ms = 0;
  request.messages = {user("tokens=401 rate=40")};
  sink = RecordingSink();
  sink.on_ready = [&] { time.now_ms += 7; };
  DemoProvider provider(time, memory, options);
  const auto result = run_task(io, provider.call(request, sink));
  EXPECT_TRUE(result.has_value());
  EXPECT_LE(time.now_ms, 10'020);
}

TEST_F(DemoTest, UnpacedTextBreathesForTheSinkAndForOthers) {
  int other = 0;
  auto neighbour = [&]() -> aio::Task<> {
    const auto executor = co_await boost::asio::this_coro::executor;
    for (int i = 0; i < 1'000; ++i) {
      ++other;
      co_await boost::asio::post(executor, boost::asio::use_awaitable);
    }
  };
  boost::asio::co_spawn(io, neighbour(), [](std::exception_ptr) {});
  int seen_at_end = 0;
  sink = RecordingSink();
  request.messages = {user("tokens=25600")};
  DemoProvider provider(time, memory, options);
  auto test = [&]() -> aio::Task<int> {
    const auto result = co_await provider.call(request, sink);
    seen_at_end = other;
    co_return result ? 0 : 1;
  };
  EXPECT_EQ(run_task(io, test()), 0);
  EXPECT_GE(sink.ready_count, 100);
  EXPECT_GE(seen_at_end, 90);
  EXPECT_EQ(time.now_ms, 0);
}

TEST_F(DemoTest, TurnsFollowTheConversation) {
  const std::string prompt = "call A {\"x\":1}\nparallel B {} | C {}\nsay done";
  request.messages = {user("old question"), assistant("old answer"), user(prompt)};
  auto first = call();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->stop, StopReason::tool_calls);
  EXPECT_EQ(sink.said, "");
  ASSERT_EQ(first->tool_calls.size(), 1U);
  EXPECT_EQ(first->tool_calls[0].name, "A");
  EXPECT_EQ(first->tool_calls[0].arguments, R"({"x":1})");

  request.messages.push_back(assistant("", first->tool_calls));
  request.messages.push_back(tool_result(first->tool_calls[0].id, "r"));
  auto second = call();
  ASSERT_EQ(second->tool_calls.size(), 2U);
  EXPECT_NE(second->tool_calls[0].id, second->tool_calls[1].id);
  EXPECT_NE(second->tool_calls[0].id, first->tool_calls[0].id);

  request.messages.push_back(assistant("", second->tool_calls));
  for (const auto& made : second->tool_calls) request.messages.push_back(tool_result(made.id, "r"));
  // A notice that the engine puts into the conversation is not a new question.
  request.messages.push_back(user("[BACKGROUND TASK COMPLETED] task_id=1 tool=x elapsed=1s"));
  auto third = call();
  EXPECT_EQ(sink.said, "done");
  EXPECT_EQ(third->stop, StopReason::end);
  // Behind the end the last text is said again.
  request.messages.push_back(assistant("done"));
  call();
  EXPECT_EQ(sink.said, "done");
}

TEST_F(DemoTest, ToolNamesAndPlaceholders) {
  request.tools = {{"filesystem__read", "", ""}, {"Glob", "", ""}};
  request.messages = {user("call Glob {}\ncall Read {\"a\":\"$LINE1\",\"b\":\"$TASK2\",\"c\":\"$TASK9 $LINE $TASKS\"}"),
                      assistant("", {{"1", "Glob", "{}"}}),
                      tool_result("0", R"({"task_id": "t-1"} {\"task_id\":\"no\"} {"task_id":"t-2"})"),
                      tool_result("1", "say \"hi\"\nsecond")};
  const auto result = call();
  ASSERT_EQ(result->tool_calls.size(), 1U);
  EXPECT_EQ(result->tool_calls[0].name, "filesystem__read");
  EXPECT_EQ(result->tool_calls[0].arguments, R"({"a":"say \"hi\"","b":"t-2","c":"$TASK9 $LINE $TASKS"})");
}

TEST_F(DemoTest, ErrorsComeTheirTimesAndThenSuccess) {
  const std::string prompt = "tokens=2\nerror 429 x2\nerror 401 x1";
  for (int i = 0; i < 2; ++i) {
    const auto limited = say(prompt);
    ASSERT_FALSE(limited.has_value());
    EXPECT_EQ(limited.error().code, Errc::provider_limited);
    EXPECT_TRUE(limited.error().retryable);
    EXPECT_EQ(limited.error().message, "demo answered 429: scripted error 429");
  }
  EXPECT_EQ(say(prompt).error().code, Errc::provider_auth);
  EXPECT_TRUE(say(prompt).has_value());
  EXPECT_TRUE(say(prompt).has_value());
  // Another conversation counts by itself, and so does the same one begun at another time.
  EXPECT_FALSE(say(prompt + " ").has_value());
  request.messages = {user(prompt)};
  request.messages[0].at_ms = 5;
  EXPECT_FALSE(call().has_value());
}

TEST_F(DemoTest, CutAndStall) {
  const auto cut = say("tokens=5\ncut 3 x1");
  EXPECT_EQ(sink.said, "w0 w1 w2 ");
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, Errc::provider_failed);
  EXPECT_TRUE(cut.error().retryable);
  EXPECT_TRUE(say("tokens=5\ncut 3 x1").has_value());
  EXPECT_EQ(sink.said, "w0 w1 w2 w3 w4 ");

  time.now_ms = 0;
  EXPECT_TRUE(say("tokens=5\nstall 3 700 x1").has_value());
  EXPECT_EQ(time.now_ms, 700);

  options.idle_ms = 1'000;
  const auto stalled = say("tokens=5\nstall 99 5000 x1");
  EXPECT_EQ(sink.said, "w0 w1 w2 w3 w4 ");
  ASSERT_FALSE(stalled.has_value());
  EXPECT_EQ(stalled.error().code, Errc::timed_out);
  EXPECT_TRUE(stalled.error().retryable);
  EXPECT_EQ(time.now_ms, 1'700);
}

TEST_F(DemoTest, TimeoutOfTheWholeCall) {
  options.timeout_ms = 500;
  const auto paced = say("tokens=1000 rate=10");
  ASSERT_FALSE(paced.has_value());
  EXPECT_EQ(paced.error().code, Errc::timed_out);
  EXPECT_FALSE(paced.error().retryable);
  EXPECT_EQ(time.now_ms, 500);
  EXPECT_EQ(sink.text_count, 5);
}

TEST_F(DemoTest, Thinking) {
  const auto result = say("tokens=1\nthinking 2");
  EXPECT_EQ(sink.thought, "t0 t1 ");
  ASSERT_EQ(result->thinking.size(), 1U);
  EXPECT_EQ(result->thinking[0].text, "t0 t1 ");
  EXPECT_EQ(result->usage.reasoning_tokens, 2);
}

TEST_F(DemoTest, BuiltInScriptsPlay) {
  request.model = "story";
  EXPECT_TRUE(say("hello").has_value());
  EXPECT_GT(sink.text_count, 120);
  EXPECT_NE(sink.said.find("scripted"), std::string::npos);
  EXPECT_NEAR(static_cast<double>(time.now_ms), sink.text_count * 25.0, 50.0);

  request.model = "tools";
  auto first = say("look around");
  ASSERT_EQ(first->tool_calls.size(), 1U);
  request.messages.push_back(assistant("", first->tool_calls));
  request.messages.push_back(tool_result(first->tool_calls[0].id, "a.txt\nb.txt"));
  auto second = call();
  EXPECT_EQ(second->tool_calls.at(0).arguments, R"({"file_path":"a.txt"})");
  request.messages.push_back(assistant("", second->tool_calls));
  request.messages.push_back(tool_result(second->tool_calls[0].id, "text"));
  EXPECT_EQ(call()->stop, StopReason::end);

  request.model = "flaky";
  EXPECT_EQ(say("go").error().retry_after_ms, 200);
  EXPECT_EQ(call().error().code, Errc::provider_failed);
  EXPECT_NE(call().error().message.find("cut off after 12 deltas"), std::string::npos);
  EXPECT_TRUE(call().has_value());

  request.model = "plan";
  EXPECT_TRUE(say("plan").has_value());
  EXPECT_TRUE(sink.said.starts_with("{\"agents\":")) << sink.said;
}

TEST_F(DemoTest, ScriptsFromFiles) {
  std::string directory = (std::filesystem::temp_directory_path() / "outlast-demo-XXXXXX").string();
  ASSERT_TRUE(mkdtemp(directory.data()));
  std::ofstream(directory + "/mine.yaml") << "turns:\n  - text: from a file\n";
  std::ofstream(directory + "/bad.yaml") << "turns:\n  - txt: x\n";
  options.script_directory = directory;
  request.model = "mine";
  EXPECT_TRUE(say("x").has_value());
  EXPECT_EQ(sink.said, "from a file");
  request.model = "bad";
  EXPECT_EQ(say("x").error().message, "bad.yaml:2:5: turns[0].txt: unknown key, did you mean 'text'?");
  request.model = "fast";
  EXPECT_TRUE(say("x").has_value());
  for (const auto* name : {"../mine", "/etc/passwd", ".mine", "", "stroy"}) {
    request.model = name;
    const auto refused = say("x");
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
    EXPECT_FALSE(refused.error().retryable);
  }
  EXPECT_NE(say("x").error().message.find("did you mean 'story'?"), std::string::npos);
  std::filesystem::remove_all(directory);
}

TEST_F(DemoTest, CancelStopsTheStory) {
  aio::SystemTime real(io);
  DemoProvider provider(real, memory, options);
  request.messages = {user("tokens=1000000 rate=1")};
  aio::Scope scope(io);
  sink.on_ready = [&] { boost::asio::post(io, [&] { scope.cancel(); }); };
  auto test = [&]() -> aio::Task<bool> {
    const auto outcome = co_await scope.run(provider.call(request, sink));
    co_return outcome.has_value();
  };
  EXPECT_FALSE(run_task(io, test()));
}

TEST(DemoPlayTest, TextPiecesJoinToTheText) {
  for (const std::string text :
       {"", "a", "two words", "  lead and trail  ", "a\n\nb c\n", "averyveryveryverylongwordthatiscut äöüäöüäöüäöüäöüäöüäöü"}) {
    DemoTurn turn;
    turn.text = text;
    DemoText pieces(turn);
    std::string joined;
    for (std::int64_t i = 0; i < pieces.count(); ++i) {
      const auto piece = pieces.next();
      EXPECT_FALSE(piece.empty());
      EXPECT_TRUE(base::valid_utf8(piece));
      joined += piece;
    }
    EXPECT_EQ(joined, text);
  }
}

}  // namespace
}  // namespace llm
