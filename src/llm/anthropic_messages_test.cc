#include "llm/anthropic_messages.h"

#include "base/json.h"
#include "base/limits.h"
#include "llm/llm_fixture.h"

namespace llm {
namespace {

using base::Errc;

const AnthropicMessages kAnthropic("anthropic");

std::string event(std::string_view name, std::string_view data) {
  return "event: " + std::string(name) + "\ndata: " + std::string(data) + "\n\n";
}

const std::string kStart = event(
    "message_start",
    R"({"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-4-7","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":3,"cache_read_input_tokens":1000,"output_tokens":1,"service_tier":"standard"}}})");
const std::string kPing = event("ping", R"({"type": "ping"})");
const std::string kStop = event("message_stop", R"({"type":"message_stop"})");

std::string block_start(int index, std::string_view block) {
  return event("content_block_start", R"({"type":"content_block_start","index":)" + std::to_string(index) +
                                          R"(,"content_block":)" + std::string(block) + "}");
}
std::string delta(int index, std::string_view fields) {
  return event("content_block_delta",
               R"({"type":"content_block_delta","index":)" + std::to_string(index) + R"(,"delta":)" + std::string(fields) + "}");
}
std::string block_stop(int index) {
  return event("content_block_stop", R"({"type":"content_block_stop","index":)" + std::to_string(index) + "}");
}
std::string ending(std::string_view reason) {
  return event("message_delta", R"({"type":"message_delta","delta":{"stop_reason":")" + std::string(reason) +
                                    R"(","stop_sequence":null},"usage":{"output_tokens":15}})");
}

TEST(AnthropicDecoder, Text) {
  const auto stream = kStart + block_start(0, R"({"type":"text","text":""})") + kPing +
                      delta(0, R"({"type":"text_delta","text":"Hello"})") +
                      delta(0, R"({"type":"text_delta","text":" w\u00f6rld"})") + block_stop(0) + ending("end_turn") + kStop;
  const auto decoded = decode(kAnthropic, stream);
  EXPECT_EQ(decoded.said, "Hello wörld");
  ASSERT_TRUE(decoded.result.has_value());
  EXPECT_EQ(decoded.result->stop, StopReason::end);
  EXPECT_EQ(decoded.result->response_id, "msg_01");
  const run::Usage usage{
      .input_tokens = 25, .output_tokens = 15, .reasoning_tokens = 0, .cache_read_tokens = 1000, .cache_write_tokens = 3};
  EXPECT_EQ(decoded.result->usage, usage);
}

TEST(AnthropicDecoder, ThinkingThenToolCalls) {
  const auto stream = kStart + block_start(0, R"({"type":"thinking","thinking":"","signature":""})") +
                      delta(0, R"({"type":"thinking_delta","thinking":"Let me "})") +
                      delta(0, R"({"type":"thinking_delta","thinking":"see."})") +
                      delta(0, R"({"type":"signature_delta","signature":"EqQB"})") + block_stop(0) +
                      block_start(1, R"({"type":"redacted_thinking","data":"EmwK"})") + block_stop(1) +
                      block_start(2, R"({"type":"text","text":""})") + delta(2, R"({"type":"text_delta","text":"I look."})") +
                      block_stop(2) + block_start(3, R"({"type":"tool_use","id":"toolu_1","name":"Read","input":{}})") +
                      delta(3, R"({"type":"input_json_delta","partial_json":""})") +
                      delta(3, R"({"type":"input_json_delta","partial_json":"{\"file_"})") +
                      delta(3, R"({"type":"input_json_delta","partial_json":"path\":\"a\"}"})") + block_stop(3) +
                      block_start(4, R"({"type":"tool_use","id":"toolu_2","name":"Now","input":{}})") + block_stop(4) +
                      block_start(5, R"({"type":"tool_use","id":"toolu_3","name":"Whole","input":{"k":1}})") + block_stop(5) +
                      ending("tool_use") + kStop;
  const auto decoded = decode(kAnthropic, stream);
  EXPECT_EQ(decoded.thought, "Let me see.");
  EXPECT_EQ(decoded.said, "I look.");
  ASSERT_TRUE(decoded.result.has_value());
  EXPECT_EQ(decoded.result->stop, StopReason::tool_calls);
  const std::vector<run::Thinking> thinking{{"Let me see.", "EqQB", ""}, {"", "", "EmwK"}};
  EXPECT_EQ(decoded.result->thinking, thinking);
  const std::vector<run::ToolCall> calls{
      {"toolu_1", "Read", R"({"file_path":"a"})"}, {"toolu_2", "Now", "{}"}, {"toolu_3", "Whole", R"({"k":1})"}};
  EXPECT_EQ(decoded.result->tool_calls, calls);
}

TEST(AnthropicDecoder, BlocksOfTheProvidersOwnToolsAreSkipped) {
  const auto stream = kStart + block_start(0, R"({"type":"server_tool_use","id":"s","name":"web_search","input":{}})") +
                      delta(0, R"({"type":"input_json_delta","partial_json":"{}"})") + block_stop(0) +
                      block_start(1, R"({"type":"web_search_tool_result","tool_use_id":"s","content":[]})") + block_stop(1) +
                      block_start(2, R"({"type":"text","text":"So"})") + delta(2, R"({"type":"citations_delta","citation":{}})") +
                      block_stop(2) + ending("end_turn") + kStop;
  const auto decoded = decode(kAnthropic, stream);
  EXPECT_EQ(decoded.said, "So");
  ASSERT_TRUE(decoded.result.has_value());
  EXPECT_TRUE(decoded.result->tool_calls.empty());
}

TEST(AnthropicDecoder, StopReasons) {
  const auto stop_of = [](std::string_view reason) {
    const auto decoded = decode(kAnthropic, kStart + ending(reason) + kStop);
    EXPECT_TRUE(decoded.result.has_value()) << reason;
    return decoded.result->stop;
  };
  EXPECT_EQ(stop_of("end_turn"), StopReason::end);
  EXPECT_EQ(stop_of("stop_sequence"), StopReason::end);
  EXPECT_EQ(stop_of("pause_turn"), StopReason::end);
  EXPECT_EQ(stop_of("max_tokens"), StopReason::length);
  EXPECT_EQ(stop_of("model_context_window_exceeded"), StopReason::length);
  EXPECT_EQ(stop_of("refusal"), StopReason::refused);
}

TEST(AnthropicDecoder, EndedBeforeMessageStopIsACut) {
  const auto decoded = decode(kAnthropic, kStart + block_start(0, R"({"type":"text","text":""})") +
                                              delta(0, R"({"type":"text_delta","text":"x"})") + ending("end_turn"));
  EXPECT_EQ(decoded.said, "x");
  ASSERT_FALSE(decoded.result.has_value());
  EXPECT_EQ(decoded.result.error().code, Errc::provider_failed);
  EXPECT_TRUE(decoded.result.error().retryable);
  EXPECT_EQ(decoded.result.error().message, "anthropic's answer was cut off after 1 deltas");
}

TEST(AnthropicDecoder, ErrorEvent) {
  const auto decoded = decode(
      kAnthropic, kStart + event("error", R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"));
  ASSERT_FALSE(decoded.result.has_value());
  EXPECT_EQ(decoded.result.error().code, Errc::provider_failed);
  EXPECT_TRUE(decoded.result.error().retryable);
  EXPECT_EQ(decoded.result.error().message, "anthropic failed while it answered: Overloaded (overloaded_error)");
}

TEST(AnthropicDecoder, AWholeMessageInsteadOfAStream) {
  const auto decoded = decode(kAnthropic, R"({"id":"msg_1","type":"message","role":"assistant","model":"m","stop_sequence":null,
    "content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Hi"},{"type":"tool_use","id":"t","name":"A","input":{"x":[1]}}],
    "stop_reason":"tool_use","usage":{"input_tokens":10,"output_tokens":3}})");
  EXPECT_EQ(decoded.said, "Hi");
  EXPECT_EQ(decoded.thought, "hm");
  ASSERT_TRUE(decoded.result.has_value());
  EXPECT_EQ(decoded.result->tool_calls, (std::vector<run::ToolCall>{{"t", "A", R"({"x":[1]})"}}));
  EXPECT_EQ(decoded.result->usage.total(), 13);
  EXPECT_EQ(decode(kAnthropic, R"({"type":"error","error":{"type":"api_error","message":"m"}})").result.error().code,
            Errc::provider_failed);
}

TEST(AnthropicDecoder, BoundsAreKept) {
  std::string many = kStart;
  for (std::size_t i = 0; i <= base::limits::kToolCallsPerTurnMax; ++i)
    many += block_start(static_cast<int>(i), R"({"type":"tool_use","id":"c","name":"A"})");
  EXPECT_FALSE(decode_chunks(kAnthropic, {}, {many}).result.has_value());
  const auto start = kStart + block_start(0, R"({"type":"thinking"})");
  const auto piece = delta(0, R"({"type":"thinking_delta","thinking":")" + std::string(1 << 20, 'x') + R"("})");
  std::vector<std::string_view> chunks(10, piece);
  chunks.insert(chunks.begin(), start);
  const auto decoded = decode_chunks(kAnthropic, {}, chunks);
  ASSERT_FALSE(decoded.result.has_value());
  EXPECT_NE(decoded.result.error().message.find("bound"), std::string::npos);
}

// ---- the request ----

boost::json::value json(std::string_view text) { return base::parse_json(text).value(); }
boost::json::value body_of(const ModelRequest& request) { return json(kAnthropic.write(request, "key").body); }

TEST(AnthropicRequest, SmallestRequest) {
  ModelRequest request;
  request.model = "claude-haiku-4-5";
  request.messages = {user("Hi")};
  const auto wire = kAnthropic.write(request, "k");
  EXPECT_EQ(wire.path, "/v1/messages");
  const std::vector<std::pair<std::string, std::string>> headers{{"anthropic-version", "2023-06-01"}, {"x-api-key", "k"}};
  EXPECT_EQ(wire.headers, headers);
  EXPECT_EQ(
      json(wire.body),
      json(
          R"({"model":"claude-haiku-4-5","max_tokens":16384,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"stream":true})"));
}

TEST(AnthropicRequest, WholeConversationWithToolsAndThinking) {
  ModelRequest request;
  request.model = "claude-sonnet-4-5";
  request.effort = "low";
  request.system = "Be brief.";
  request.messages = {user("look"),
                      assistant("I look.", {{"toolu.1", "Read", R"({"file_path":"a"})"}, {"toolu_2", "Bad", "[1]"}}),
                      tool_result("toolu.1", "A"),
                      tool_result("toolu_2", ""),
                      user("and then"),
                      user(""),
                      assistant(" "),
                      assistant("", {{"toolu_3", "Read", ""}}),
                      tool_result("toolu_3", "B")};
  request.messages[1].thinking = {{"hm", "sig", ""}, {"", "", "data"}, {"unsigned", "", ""}};
  request.messages[3].is_error = true;
  request.messages[7].thinking = {{"", "sig2", ""}};
  request.tools = {{"Read", "Reads.", R"({"type":"object"})"}};
  EXPECT_EQ(body_of(request), json(R"({"model":"claude-sonnet-4-5","max_tokens":10240,"system":"Be brief.","messages":[
    {"role":"user","content":[{"type":"text","text":"look"}]},
    {"role":"assistant","content":[
      {"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"data"},
      {"type":"text","text":"I look."},
      {"type":"tool_use","id":"toolu_1","name":"Read","input":{"file_path":"a"}},
      {"type":"tool_use","id":"toolu_2","name":"Bad","input":{"invalid_arguments":"[1]"}}]},
    {"role":"user","content":[
      {"type":"tool_result","tool_use_id":"toolu_1","content":"A"},
      {"type":"tool_result","tool_use_id":"toolu_2","is_error":true},
      {"type":"text","text":"and then"}]},
    {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"sig2"},{"type":"tool_use","id":"toolu_3","name":"Read","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_3","content":"B"}]}],
   "tools":[{"name":"Read","description":"Reads.","input_schema":{"type":"object"}}],
   "thinking":{"type":"enabled","budget_tokens":2048},"stream":true})"));
}

TEST(AnthropicRequest, BudgetThinkingDoesNotBeginInTheMiddleOfAnExchange) {
  ModelRequest request;
  request.model = "claude-sonnet-4-5";
  request.effort = "high";
  request.messages = {user("look"), assistant("", {{"t", "A", "{}"}}), tool_result("t", "r")};
  EXPECT_FALSE(body_of(request).as_object().contains("thinking"));
  request.messages.push_back(assistant("done"));
  request.messages.push_back(user("again"));
  EXPECT_TRUE(body_of(request).as_object().contains("thinking"));
}

TEST(AnthropicRequest, ThinkingIsNotSentBackWhereItIsOff) {
  ModelRequest request;
  request.messages = {user("a"), assistant("b"), user("c")};
  request.messages[1].thinking = {{"hm", "sig", ""}};
  const auto sent_back = [&](const char* model, const char* effort) {
    request.model = model;
    request.effort = effort;
    return kAnthropic.write(request, "").body.find("sig") != std::string::npos;
  };
  EXPECT_FALSE(sent_back("claude-sonnet-4-5", ""));
  EXPECT_TRUE(sent_back("claude-sonnet-4-5", "low"));
  EXPECT_FALSE(sent_back("claude-opus-4-7", ""));
  EXPECT_TRUE(sent_back("claude-opus-4-7", "high"));
  EXPECT_TRUE(sent_back("claude-opus-5", ""));
  EXPECT_FALSE(sent_back("claude-opus-5", "none"));
  EXPECT_TRUE(sent_back("kimi-k2-thinking", ""));
}

TEST(AnthropicThinkingTest, ModeFollowsTheModelsGeneration) {
  using enum AnthropicThinking::Mode;
  const auto mode = [](std::string_view model, std::string_view effort) { return anthropic_thinking(model, effort, {}).mode; };
  for (const auto* model : {"claude-3-7-sonnet-20250219", "claude-opus-4-20250514", "claude-opus-4-1",
                            "claude-sonnet-4-5-20250929", "claude-haiku-4-5", "glm-4.6"})
    EXPECT_EQ(mode(model, "high"), budget) << model;
  for (const auto* model : {"claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-7", "anthropic/claude-opus-4.7",
                            "claude-opus-5", "claude-sonnet-5-20260901"})
    EXPECT_EQ(mode(model, "high"), adaptive) << model;
  EXPECT_EQ(mode("claude-opus-4-7", ""), none);
  EXPECT_EQ(mode("claude-opus-4-7", "none"), none);
  EXPECT_EQ(mode("claude-opus-5", "none"), disabled);
  EXPECT_EQ(anthropic_thinking("claude-opus-4-7", "xhigh", {}).effort, "xhigh");
  EXPECT_EQ(anthropic_thinking("claude-opus-4-6", "xhigh", {}).effort, "high");
  EXPECT_EQ(anthropic_thinking("claude-opus-4-6", "max", {}).effort, "max");
  EXPECT_EQ(anthropic_thinking("claude-opus-4-7", "minimal", {}).effort, "low");
}

TEST(AnthropicThinkingTest, MaxTokensExceedsTheBudget) {
  std::int64_t before = 0;
  for (const auto* effort : {"minimal", "low", "medium", "high", "xhigh", "max"}) {
    const auto thinking = anthropic_thinking("claude-opus-4-1", effort, {});
    EXPECT_GT(thinking.budget_tokens, before) << effort;
    EXPECT_GT(anthropic_max_tokens("claude-opus-4-1", thinking), thinking.budget_tokens);
    EXPECT_LE(anthropic_max_tokens("claude-opus-4-1", thinking), 32'000) << effort;
    before = thinking.budget_tokens;
  }
  EXPECT_EQ(anthropic_thinking("claude-opus-4-1", "max", 10'000).budget_tokens, 5'000);
  EXPECT_EQ(anthropic_thinking("claude-opus-4-1", "max", 1'500).mode, AnthropicThinking::Mode::none);
  EXPECT_EQ(anthropic_max_tokens("claude-3-opus-20240229", {}), 4'096);
  EXPECT_EQ(anthropic_max_tokens("claude-3-5-sonnet-20241022", {}), 8'192);
  EXPECT_EQ(anthropic_max_tokens("kimi-k2", {}), 8'192);
}

TEST(AnthropicRequest, AdaptiveThinking) {
  ModelRequest request;
  request.model = "claude-opus-4-7";
  request.effort = "xhigh";
  request.messages = {user("Hi")};
  request.max_tokens = 50'000;
  request.temperature = 1;
  EXPECT_EQ(
      body_of(request),
      json(R"({"model":"claude-opus-4-7","max_tokens":50000,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],
    "thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"xhigh"},"temperature":1,"stream":true})"));
}

}  // namespace
}  // namespace llm
