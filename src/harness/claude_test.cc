#include "harness/claude.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "harness/harness_fixture.h"
#include "harness/harnesses.h"

namespace harness {
namespace {

constexpr std::string_view kSession = "c738d8d5-26b5-4000-8000-000000000001";
constexpr std::string_view kMessage = "11111111-1111-4111-8111-111111111111";

Start start() { return {.prompt = "Do it", .message_id = std::string(kMessage), .session_id = std::string(kSession), .directory = "/w"}; }
Start resumed() {
  auto out = start();
  out.resumes = true;
  return out;
}

std::string result(std::string_view fields) { return R"({"type":"result","subtype":"success","is_error":false)" + std::string(fields) + "}"; }

TEST(ClaudeCommand, ANewAttendedSessionAsksOverItsInput) {
  const auto command = claude().command(start());
  EXPECT_EQ(command.argv, (Lines{"claude", "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose",
                                 "--replay-user-messages", "--permission-prompt-tool", "stdio", "--permission-mode", "manual", "--session-id",
                                 std::string(kSession)}));
  EXPECT_TRUE(command.takes_input);
  EXPECT_TRUE(command.stays);
  EXPECT_TRUE(command.environment.empty());
  ASSERT_EQ(command.first.size(), 2u);
  EXPECT_EQ(command.first[0].key, "initialize");
  EXPECT_EQ(command.first[0].line,
            R"({"type":"control_request","request_id":"initialize","request":{"subtype":"initialize","hooks":{}}})");
  EXPECT_EQ(command.first[1].key, "message:11111111-1111-4111-8111-111111111111");
  EXPECT_EQ(command.first[1].line,
            R"({"type":"user","uuid":"11111111-1111-4111-8111-111111111111","message":{"role":"user","content":"Do it"}})");
}

TEST(ClaudeCommand, OptionsOfAResumedCopy) {
  auto wanted = resumed();
  wanted.forks = true;
  wanted.model = "opus";
  wanted.effort = "high";
  const auto argv = claude().command(wanted).argv;
  EXPECT_EQ(value_of(argv, "--resume"), kSession);
  EXPECT_TRUE(has(argv, "--fork-session"));
  EXPECT_FALSE(has(argv, "--session-id"));
  EXPECT_EQ(value_of(argv, "--model"), "opus");
  EXPECT_EQ(value_of(argv, "--effort"), "high");
}

TEST(ClaudeCommand, NobodyIsAskedWhereNobodyIsThere) {
  auto unattended = start();
  unattended.attended = false;
  EXPECT_FALSE(has(claude().command(unattended).argv, "--permission-prompt-tool"));
  EXPECT_EQ(value_of(claude().command(unattended).argv, "--permission-mode"), "acceptEdits");
  auto free = start();
  free.skip_permissions = true;
  EXPECT_TRUE(has(claude().command(free).argv, "--dangerously-skip-permissions"));
  EXPECT_FALSE(has(claude().command(free).argv, "--permission-prompt-tool"));
  EXPECT_FALSE(has(claude().command(free).argv, "--permission-mode"));
}

TEST(ClaudeCommand, APromptOfAnyBytesIsOneLine) {
  auto odd = start();
  odd.prompt = "a\nb\xff\"";
  const auto line = claude().command(odd).first.at(1).line;
  EXPECT_EQ(line.find('\n'), line.npos);
  EXPECT_TRUE(base::parse_json(line).has_value());
  odd.prompt.clear();
  EXPECT_EQ(claude().command(odd).first.size(), 1u);
}

TEST(ClaudeDecoder, ATurnWithAnApprovedCall) {
  const auto decoder = claude().decoder(start());
  const std::string call = R"(toolu_1 Bash {"command":"cat a.txt","description":"Show a.txt"})";
  EXPECT_EQ(feed(*decoder, file_lines("claude/turn.jsonl")),
            (Lines{"session c738d8d5-26b5-4000-8000-000000000001 model=claude-sonnet-4-5 version=2.1.329", "turn began", "thought I look first.",
                   "heard 11111111-1111-4111-8111-111111111111", "call " + call, "asks " + call + " (This command requires approval)",
                   "ended " + call + " => hello", "said It says hello.", "turn done text=It says hello. usage=200/24/0/50/7 cost=12500",
                   "handled 11111111-1111-4111-8111-111111111111"}));
}

TEST(ClaudeDecoder, WhatATurnHasUsedIsKnownBeforeItsEnd) {
  const auto decoder = claude().decoder(start());
  const auto lines = file_lines("claude/turn.jsonl");
  const auto result = std::ranges::find_if(lines, [](const std::string& line) { return line.find("\"type\":\"result\"") != std::string::npos; });
  ASSERT_NE(result, lines.end());
  EXPECT_EQ(decoder->open_usage(), run::Usage());
  feed(*decoder, Lines(lines.begin(), result));
  const auto used = decoder->open_usage();
  EXPECT_EQ(used.input_tokens, 100);  // only the first message has figures
  EXPECT_GT(used.output_tokens, 24);  // what is guessed is rather too much
  feed(*decoder, Lines(result, lines.end()));
  EXPECT_EQ(decoder->open_usage(), run::Usage());
}

TEST(ClaudeDecoder, FailuresAreToldApart) {
  const auto decoder = claude().decoder(start());
  EXPECT_EQ(feed(*decoder, file_lines("claude/failures.jsonl")),
            (Lines{"session 5e55 model=claude-sonnet-4-5 version=2.1.329", "turn began", "limited in 532 (rate_limit 429)",
                   "retries in 1100 (overloaded 529)", "turn again error=API Error: Request rejected (529)",
                   R"(turn denied error=API Error: 401 {"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}})",
                   "turn denied error=Forbidden", "turn limited error=API Error: Request rejected (429) for=90000",
                   "turn limited error=Claude AI usage limit reached|1795226619 until=1795226619000",
                   "turn again error=API Error: Connection error.", "turn again error=Something odd",
                   "turn denied error=Not logged in · Please run /login", "turn failed error=Reached maximum number of turns (3)",
                   "turn failed error=budget_exhausted", "turn failed error=No conversation found with session ID: 5e55",
                   "turn interrupted error=[ede_diagnostic] result_type=user", "turn interrupted error=aborted_streaming"}));
}

TEST(ClaudeDecoder, WhatIsNotKnownIsSaidToBeUnknown) {
  const auto decoder = claude().decoder(start());
  EXPECT_EQ(feed(*decoder, file_lines("claude/odd.jsonl")),
            (Lines{"unknown", "unknown", "unknown", "unknown", "call toolu_2  {}", "ended toolu_9   => one\n[image]\ntwo", "unknown",
                   R"(reply refused:h1 {"type":"control_response","response":{"subtype":"error","request_id":"h1","error":"not supported"}})",
                   "unknown", R"(call toolu_in Read {"file_path":"b"})", "said half \xEF\xBF\xBD", "unknown", "unknown",
                   "turn limited text=half \xEF\xBF\xBD error=You've hit your limit cost=1000000000000000 until=1795226619000",
                   "turn failed", "unknown", "unknown", "unknown", "unknown", "unknown"}));
}

TEST(ClaudeDecoder, HostileLinesAreUnknown) {
  const auto decoder = claude().decoder(start());
  const std::string deep = R"({"type":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const std::string huge = R"({"type":"assistant","message":{"content":[{"type":"text","text":")" + std::string(10 << 20, 'x') + R"("}]}})";
  for (const auto& line : {deep, huge, std::string("\0\x01{", 3), std::string("{\"type\":\"result\"\xff\xfe"), std::string(), std::string("{}")})
    EXPECT_EQ(feed(*decoder, line), Lines{"unknown"});
}

TEST(ClaudeDecoder, ASessionIsNamedWhenItChanges) {
  const auto decoder = claude().decoder(start());
  const std::string first = R"({"type":"system","subtype":"init","session_id":"s1","model":"m"})";
  EXPECT_EQ(feed(*decoder, {first, first, R"({"type":"system","subtype":"init","session_id":"s2","model":"m"})"}),
            (Lines{"session s1 model=m version=", "turn began", "turn began", "session s2 model=m version=", "turn began"}));
}

TEST(ClaudeDecoder, CostIsWhatATurnAdded) {
  const auto decoder = claude().decoder(start());
  EXPECT_EQ(feed(*decoder, {result(R"(,"total_cost_usd":0.5)"), result(R"(,"total_cost_usd":0.75)"), result(""), result(R"(,"total_cost_usd":0.8)")}),
            (Lines{"turn done cost=500000", "turn done cost=250000", "turn done", "turn done cost=50000"}));
}

TEST(ClaudeDecoder, AResumedSessionsFirstCostIsNotThatOfEarlierProcesses) {
  const auto told = claude().decoder(resumed());
  EXPECT_EQ(feed(*told, {result(R"(,"total_cost_usd":0.5,"model_usage_since_last_result":{"a":{"costUSD":0.01},"b":{"costUSD":0.02}})"),
                         result(R"(,"total_cost_usd":0.6)")}),
            (Lines{"turn done cost=30000", "turn done cost=100000"}));
  const auto silent = claude().decoder(resumed());
  EXPECT_EQ(feed(*silent, {result(R"(,"total_cost_usd":0.5)"), result(R"(,"total_cost_usd":0.6)")}), (Lines{"turn done", "turn done cost=100000"}));
}

TEST(ClaudeDecoder, AnswersNameTheRequestAndKeepTheInput) {
  const auto decoder = claude().decoder(start());
  const auto asks = R"({"type":"control_request","request_id":"r9","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"b":1,"a":[2]},"tool_use_id":"t1"}})";
  EXPECT_EQ(decoder->answer("t1", true, ""), "");
  feed(*decoder, std::string_view(asks));
  EXPECT_EQ(decoder->answer("t1", true, ""),
            R"({"type":"control_response","response":{"subtype":"success","request_id":"r9","response":{"behavior":"allow","updatedInput":{"b":1,"a":[2]}}}})");
  EXPECT_EQ(decoder->answer("t1", false, "not \"that\""),
            R"({"type":"control_response","response":{"subtype":"success","request_id":"r9","response":{"behavior":"deny","message":"not \"that\""}}})");
  EXPECT_NE(decoder->answer("t1", false, "").find("refused"), std::string::npos);
  EXPECT_EQ(decoder->answer("r9", true, ""), "");
}

TEST(ClaudeDecoder, ASettledQuestionHasNoAnswerAnyMore) {
  const std::string asks = R"({"type":"control_request","request_id":"r9","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{}}})";
  for (const std::string settles : {R"({"type":"control_response","response":{"subtype":"success","request_id":"r9","response":{"behavior":"allow"}}})",
                                    R"({"type":"control_cancel_request","request_id":"r9"})",
                                    R"({"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"r9","content":"x"}]}})",
                                    R"({"type":"result","is_error":false,"subtype":"success"})"}) {
    const auto decoder = claude().decoder(start());
    feed(*decoder, asks);
    EXPECT_NE(decoder->answer("r9", true, ""), "");
    feed(*decoder, settles);
    EXPECT_EQ(decoder->answer("r9", true, ""), "") << settles;
  }
}

TEST(ClaudeDecoder, ALimitLastsAsLongAsTheLastTryWasPutOff) {
  const auto decoder = claude().decoder(start());
  const std::string retry = R"({"type":"system","subtype":"api_retry","attempt":1,"max_retries":1,"retry_delay_ms":5899,"error_status":429,"error":"rate_limit"})";
  const std::string result =
      R"({"type":"result","subtype":"success","is_error":true,"terminal_reason":"api_error","api_error_status":429,"result":"API Error: Request rejected (429) · no"})";
  EXPECT_EQ(feed(*decoder, Lines{retry, result}).back(), "turn limited error=API Error: Request rejected (429) · no for=5899");
  // Of the turn before nothing is left.
  EXPECT_EQ(feed(*decoder, result), (Lines{"turn limited error=API Error: Request rejected (429) · no"}));
}

TEST(ClaudeDecoder, MessagesAndInterruptsAreInputLines) {
  const auto decoder = claude().decoder(start());
  EXPECT_EQ(decoder->message("u2", "and more"), R"({"type":"user","uuid":"u2","message":{"role":"user","content":"and more"}})");
  EXPECT_EQ(decoder->interrupt("interrupt:1"), R"({"type":"control_request","request_id":"interrupt:1","request":{"subtype":"interrupt"}})");
}

TEST(ClaudeDecoder, WithoutALastWordTheEndSaysNothing) {
  const auto decoder = claude().decoder(start());
  feed(*decoder, std::string_view(R"({"type":"system","subtype":"init","session_id":"s1"})"));
  std::vector<Told> out;
  decoder->end(0, "", out);
  EXPECT_TRUE(out.empty());
}

TEST(ClaudeBackground, CommandLines) {
  const auto& agents = *claude().background();
  auto wanted = start();
  wanted.title = "proj/task one";
  EXPECT_EQ(agents.start(wanted), (Lines{"claude", "--bg", "--name", "proj/task one", "Do it"}));
  wanted.resumes = true;
  wanted.skip_permissions = true;
  wanted.title = "";
  wanted.prompt = "-x";
  EXPECT_EQ(agents.start(wanted), (Lines{"claude", "--bg", "--resume", std::string(kSession), "--dangerously-skip-permissions", " -x"}));
  wanted.prompt = "";
  EXPECT_EQ(agents.start(wanted).back(), "--dangerously-skip-permissions");
  wanted.prompt = "Go on";
  wanted.keeps_options = true;
  EXPECT_EQ(agents.start(wanted), (Lines{"claude", "--bg", "--resume", std::string(kSession), "Go on"}));
  EXPECT_EQ(agents.list(), (Lines{"claude", "agents", "--json", "--all"}));
  EXPECT_EQ(agents.stop("c738d8d5"), (Lines{"claude", "stop", "c738d8d5"}));
}

TEST(ClaudeBackground, TheBannerIsFoundOnAnyLine) {
  const auto id = [](std::string_view text) { return claude().background()->started_id(text); };
  EXPECT_EQ(id("backgrounded · c738d8d5 · proj/task one\n  claude agents   list sessions\n"), "c738d8d5");
  EXPECT_EQ(id("Warning: something\nbackgrounded · \x1b[36m8d9126e3\x1b[0m\r\n"), "8d9126e3");
  EXPECT_EQ(id("\x1b[1;32mbackgrounded\x1b[0m \x1b[2m·\x1b[0m \x1b[36meafc04aa\x1b[0m (idle — send a prompt to start)"), "eafc04aa");
  EXPECT_EQ(id("backgrounded eafc04aa"), "eafc04aa");
  EXPECT_EQ(id("backgrounded·eafc04aa"), "eafc04aa");
  EXPECT_EQ(id("backgrounded · eafc04aab"), "");
  EXPECT_EQ(id("backgrounded · eafc04a"), "");
  EXPECT_EQ(id("backgrounded · EAFC04AA"), "");
  EXPECT_EQ(id("nothing of the kind\n"), "");
  EXPECT_EQ(id("\x1b["), "");
  EXPECT_EQ(id(""), "");
}

TEST(ClaudeBackground, OnlyBackgroundAgentsAreListed) {
  const auto listed = claude().background()->listed(R"([
    {"pid":23274,"id":"c738d8d5","cwd":"/w","kind":"background","startedAt":1795226619921,"sessionId":"c738d8d5-26b5","name":"proj/task one","status":"waiting","waitingFor":"permission prompt","state":"blocked"},
    {"pid":1,"id":"aaaaaaaa","cwd":"/w","kind":"interactive","startedAt":1,"sessionId":"aaaaaaaa-1","status":"busy"},
    {"id":"8d9126e3","cwd":"/w","kind":"background","startedAt":5,"sessionId":"8d9126e3-1","state":"stopped","pid":null},
    {"id":7,"kind":"background"}, 3, null])");
  ASSERT_TRUE(listed.has_value());
  ASSERT_EQ(listed->size(), 2u);
  const auto& waiting = listed->at(0);
  EXPECT_EQ(waiting.id + " " + waiting.session_id + " " + waiting.name + " " + waiting.directory + " " + waiting.status + " " + waiting.state,
            "c738d8d5 c738d8d5-26b5 proj/task one /w waiting blocked");
  EXPECT_EQ(waiting.pid, 23274);
  EXPECT_EQ(waiting.started_ms, 1795226619921);
  EXPECT_EQ(listed->at(1).state, "stopped");
  EXPECT_EQ(listed->at(1).pid, 0);
  EXPECT_TRUE(claude().background()->listed("[]")->empty());
  for (const std::string_view none : {"", "Error: could not reach the background service", "{}", "[1", "null"})
    EXPECT_FALSE(claude().background()->listed(none).has_value()) << none;
}

}  // namespace
}  // namespace harness
