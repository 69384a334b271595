#include "llm/openai_chat.h"

#include "base/json.h"
#include "base/limits.h"
#include "llm/llm_fixture.h"

namespace llm {
namespace {

using base::Errc;

// A chunk of OpenAI's stream around the given choice.
std::string chunk(std::string_view delta, std::string_view finish = "null") {
  return R"(data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"gpt-5.1-2025-11-13","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":)" +
         std::string(delta) + R"(,"logprobs":null,"finish_reason":)" + std::string(finish) +
         R"(}],"usage":null,"obfuscation":"x"})" + "\n\n";
}

const std::string kUsage =
    R"(data: {"id":"chatcmpl-9","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":7,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":4,"audio_tokens":0}}})"
    "\n\n";
const std::string kDone = "data: [DONE]\n\n";

const OpenAiChat kOpenAi("openai");

std::string with_crlf(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

TEST(OpenAiChatDecoder, Text) {
  const auto stream = chunk(R"({"role":"assistant","content":"","refusal":null})") + chunk(R"({"content":"Hel"})") +
                      ": keepalive\n\n" + chunk(R"({"content":"l\u00f6 \ud83d\ude00"})") + chunk("{}", R"("stop")") + kUsage +
                      kDone;
  for (const auto& bytes : {stream, with_crlf(stream)}) {
    const auto decoded = decode(kOpenAi, bytes);
    EXPECT_EQ(decoded.said, "Hellö 😀");
    ASSERT_TRUE(decoded.result.has_value());
    EXPECT_EQ(decoded.result->stop, StopReason::end);
    EXPECT_EQ(decoded.result->response_id, "chatcmpl-9");
    const run::Usage usage{
        .input_tokens = 19, .output_tokens = 10, .reasoning_tokens = 4, .cache_read_tokens = 7, .cache_write_tokens = 0};
    EXPECT_EQ(decoded.result->usage, usage);
  }
}

TEST(OpenAiChatDecoder, ParallelToolCallsInFragments) {
  const auto stream =
      chunk(
          R"({"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"Read","arguments":""}}]})") +
      chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"file_"}}]})") +
      chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"path\":\"a\"}"}}]})") +
      chunk(R"({"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"Glob","arguments":""}}]})") +
      chunk(R"({"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]})") + chunk("{}", R"("tool_calls")") + kDone;
  const auto decoded = decode(kOpenAi, stream);
  ASSERT_TRUE(decoded.result.has_value());
  EXPECT_EQ(decoded.result->stop, StopReason::tool_calls);
  const std::vector<run::ToolCall> calls{{"call_a", "Read", R"({"file_path":"a"})"}, {"call_b", "Glob", "{}"}};
  EXPECT_EQ(decoded.result->tool_calls, calls);
}

TEST(OpenAiChatDecoder, ToolCallsOfCarelessServers) {
  const auto calls_of = [](const std::string& stream) {
    ModelRequest request;
    request.messages = {user("a"), assistant("b"), user("c")};
    const auto decoded = decode(kOpenAi, stream + chunk("{}", R"("stop")") + kDone, request);
    EXPECT_TRUE(decoded.result.has_value());
    EXPECT_EQ(decoded.result->stop, StopReason::tool_calls);
    return decoded.result->tool_calls;
  };
  using Calls = std::vector<run::ToolCall>;
  // No ids: made, from the position and the length of the conversation.
  EXPECT_EQ(
      calls_of(chunk(
          R"({"tool_calls":[{"index":0,"function":{"name":"A","arguments":"{}"}},{"index":1,"function":{"name":"B","arguments":"{}"}}]})")),
      (Calls{{"call_0_3", "A", "{}"}, {"call_1_3", "B", "{}"}}));
  // No index: a fragment with a name begins a call, one without goes on.
  EXPECT_EQ(calls_of(chunk(R"({"tool_calls":[{"id":"x","function":{"name":"A","arguments":"{"}}]})") +
                     chunk(R"({"tool_calls":[{"function":{"arguments":"}"}}]})") +
                     chunk(R"({"tool_calls":[{"id":"y","function":{"name":"A","arguments":"{}"}}]})")),
            (Calls{{"x", "A", "{}"}, {"y", "A", "{}"}}));
  // All calls with index 0, whole at once.
  EXPECT_EQ(calls_of(chunk(R"({"tool_calls":[{"index":0,"id":"x","function":{"name":"A","arguments":"{}"}}]})") +
                     chunk(R"({"tool_calls":[{"index":0,"id":"y","function":{"name":"B","arguments":"{}"}}]})")),
            (Calls{{"x", "A", "{}"}, {"y", "B", "{}"}}));
  // Id and name repeated with every fragment; arguments as an object; no arguments; empty ones.
  EXPECT_EQ(calls_of(chunk(R"({"tool_calls":[{"index":0,"id":"x","function":{"name":"A","arguments":"{"}}]})") +
                     chunk(R"({"tool_calls":[{"index":0,"id":"x","function":{"name":"A","arguments":"}"}}]})")),
            (Calls{{"x", "A", "{}"}}));
  EXPECT_EQ(calls_of(chunk(R"({"tool_calls":[{"index":0,"id":"x","function":{"name":"A","arguments":{"k":1}}}]})")),
            (Calls{{"x", "A", R"({"k":1})"}}));
  EXPECT_EQ(
      calls_of(chunk(
          R"({"tool_calls":[{"index":0,"id":"x","function":{"name":"A"}},{"index":1,"id":"y","function":{"name":"B","arguments":""}}]})")),
      (Calls{{"x", "A", "{}"}, {"y", "B", "{}"}}));
}

TEST(OpenAiChatDecoder, ReasoningOfSeveralDialects) {
  const auto thought_of = [](const std::string& deltas) {
    const auto decoded = decode(kOpenAi, deltas + chunk(R"({"content":"42"})", R"("stop")") + kDone);
    EXPECT_EQ(decoded.said, "42");
    EXPECT_TRUE(decoded.result && decoded.result->thinking.size() == 1 && decoded.result->thinking[0].text == decoded.thought);
    return decoded.thought;
  };
  EXPECT_EQ(thought_of(chunk(R"({"role":"assistant","content":null,"reasoning_content":"hm"})") +
                       chunk(R"({"content":null,"reasoning_content":"m"})")),
            "hmm");
  EXPECT_EQ(thought_of(chunk(R"({"content":"","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}]})")),
            "hm");
  EXPECT_EQ(thought_of(chunk(R"({"reasoning":"hm","reasoning_content":"hm"})")), "hm");
  EXPECT_EQ(thought_of(chunk(R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]})")), "hm");
}

TEST(OpenAiChatDecoder, ContentAsParts) {
  EXPECT_EQ(decode(kOpenAi, chunk(R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})") + kDone).said, "ab");
}

TEST(OpenAiChatDecoder, FinishReasons) {
  const auto stop_of = [](const std::string& reason) {
    const auto decoded = decode(kOpenAi, chunk(R"({"content":"x"})", "\"" + reason + "\""));
    EXPECT_TRUE(decoded.result.has_value()) << reason;
    return decoded.result->stop;
  };
  EXPECT_EQ(stop_of("stop"), StopReason::end);
  EXPECT_EQ(stop_of("length"), StopReason::length);
  EXPECT_EQ(stop_of("content_filter"), StopReason::refused);
  EXPECT_EQ(stop_of("tool_calls"), StopReason::end);  // without any call
  EXPECT_EQ(stop_of("eos"), StopReason::end);
  const auto refusal = decode(kOpenAi, chunk(R"({"refusal":"I can't"})") + chunk("{}", R"("stop")") + kDone);
  EXPECT_EQ(refusal.said, "I can't");
  EXPECT_EQ(refusal.result->stop, StopReason::refused);
}

TEST(OpenAiChatDecoder, CompleteWithoutTheEndMarkerOrWithoutAFinishReason) {
  EXPECT_TRUE(decode(kOpenAi, chunk(R"({"content":"x"})") + chunk("{}", R"("stop")")).result.has_value());
  EXPECT_TRUE(decode(kOpenAi, chunk(R"({"content":"x"})") + kDone).result.has_value());
  EXPECT_TRUE(decode(kOpenAi, chunk(R"({"content":"x"})") + "data: [DONE]").result.has_value());
  const auto usage_in_last = decode(
      kOpenAi,
      R"(data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})"
      "\n\n");
  EXPECT_EQ(usage_in_last.result->usage.total(), 3);
  const auto groq = decode(
      kOpenAi,
      R"(data: {"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":1,"completion_tokens":2}}})"
      "\n\n");
  EXPECT_EQ(groq.result->usage.total(), 3);
}

TEST(OpenAiChatDecoder, CutStreamIsRetryable) {
  for (const auto* tail : {"", "data: {\"choi", "data: "}) {
    const auto decoded = decode(kOpenAi, chunk(R"({"content":"x"})") + chunk(R"({"content":"y"})") + tail);
    EXPECT_EQ(decoded.said, "xy");
    ASSERT_FALSE(decoded.result.has_value());
    EXPECT_EQ(decoded.result.error().code, Errc::provider_failed);
    EXPECT_TRUE(decoded.result.error().retryable);
    EXPECT_EQ(decoded.result.error().message, "openai's answer was cut off after 2 deltas");
  }
  EXPECT_NE(decode(kOpenAi, "").result.error().message.find("is the base URL right?"), std::string::npos);
  EXPECT_NE(decode(kOpenAi, "<html>\n\n<p>\n").result.error().message.find("is the base URL right?"), std::string::npos);
}

TEST(OpenAiChatDecoder, ErrorsInTheStream) {
  const auto error_of = [](const std::string& event) {
    const auto decoded = decode(kOpenAi, chunk(R"({"content":"x"})") + event);
    EXPECT_FALSE(decoded.result.has_value()) << event;
    return decoded.result.error();
  };
  const auto object =
      error_of("data: {\"error\":{\"message\":\"The server had an error\",\"type\":\"server_error\",\"code\":null}}\n\n");
  EXPECT_EQ(object.code, Errc::provider_failed);
  EXPECT_TRUE(object.retryable);
  EXPECT_EQ(object.message, "openai failed while it answered: The server had an error (server_error)");
  const auto router = error_of(
      "data: {\"id\":\"g\",\"error\":{\"code\":429,\"message\":\"slow "
      "down\"},\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n");
  EXPECT_EQ(router.code, Errc::provider_limited);
  EXPECT_EQ(error_of("data: {\"object\":\"error\",\"message\":\"bad\",\"code\":400}\n\n").code, Errc::provider_request);
  EXPECT_TRUE(error_of(chunk("{}", R"("error")")).retryable);
  EXPECT_TRUE(error_of("data: not json\n\n").retryable);
  EXPECT_EQ(error_of("data: {\"error\":\"boom\"}\n\n").message, "openai failed while it answered: boom");
}

TEST(OpenAiChatDecoder, AWholeCompletionInsteadOfAStream) {
  const auto decoded = decode(kOpenAi, R"( {"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m",
   "choices":[{"index":0,"message":{"role":"assistant","content":"Hi","reasoning_content":"hm",
     "tool_calls":[{"id":"c","type":"function","function":{"name":"A","arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls"}],
   "usage":{"prompt_tokens":3,"completion_tokens":4}})");
  EXPECT_EQ(decoded.said, "Hi");
  EXPECT_EQ(decoded.thought, "hm");
  ASSERT_TRUE(decoded.result.has_value());
  EXPECT_EQ(decoded.result->stop, StopReason::tool_calls);
  EXPECT_EQ(decoded.result->tool_calls, (std::vector<run::ToolCall>{{"c", "A", R"({"x":1})"}}));
  EXPECT_EQ(decoded.result->usage.total(), 7);
  EXPECT_EQ(decode(kOpenAi, R"({"error":{"message":"m","type":"invalid_request_error"}})").result.error().code,
            Errc::provider_request);
  EXPECT_FALSE(decode(kOpenAi, R"({"models":[]})").result.has_value());
  EXPECT_FALSE(decode(kOpenAi, R"({"choices":[{"message":{"content":"x")").result.has_value());
}

TEST(OpenAiChatDecoder, BadTextDoesNotKillTheCall) {
  EXPECT_EQ(decode(kOpenAi, chunk(R"({"content":"a\ud83d"})") + chunk("{\"content\":\"b\xFF\"}") + kDone).said, "a\uFFFDb\uFFFD");
}

TEST(OpenAiChatDecoder, SpaceBeforeTheStream) {  // found by the fuzzer: it depended on the cut
  EXPECT_EQ(decode(kOpenAi, "\r\n \n " + chunk(R"({"content":"x"})") + kDone).said, "x");
}

TEST(OpenAiChatDecoder, BoundsAreKept) {
  std::string many;
  for (std::size_t i = 0; i <= base::limits::kToolCallsPerTurnMax; ++i)
    many += chunk(R"({"tool_calls":[{"index":)" + std::to_string(i) + R"(,"id":"c","function":{"name":"A","arguments":"{}"}}]})");
  const auto calls = decode_chunks(kOpenAi, {}, {many});
  ASSERT_FALSE(calls.result.has_value());
  EXPECT_NE(calls.result.error().message.find("bound"), std::string::npos);

  const auto piece = chunk(R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"A","arguments":")" +
                           std::string(1 << 20, 'x') + R"("}}]})");
  const auto arguments = decode_chunks(kOpenAi, {}, std::vector<std::string_view>(10, piece));
  ASSERT_FALSE(arguments.result.has_value());
  EXPECT_NE(arguments.result.error().message.find("bound"), std::string::npos);

  const std::string endless(1 << 20, 'x');
  EXPECT_FALSE(decode_chunks(kOpenAi, {}, std::vector<std::string_view>(6, endless)).result.has_value());
}

// ---- the request ----

boost::json::value body_of(const OpenAiChat& format, const ModelRequest& request) {
  const auto body = base::parse_json(format.write(request, "key").body);
  EXPECT_TRUE(body.has_value());
  return *body;
}

boost::json::value json(std::string_view text) { return base::parse_json(text).value(); }

TEST(OpenAiChatRequest, SmallestRequest) {
  ModelRequest request;
  request.model = "gpt-5.1";
  request.messages = {user("Hi \"you\"\n")};
  const auto wire = kOpenAi.write(request, "sk-1");
  EXPECT_EQ(wire.path, "/chat/completions");
  const std::vector<std::pair<std::string, std::string>> headers{{"Authorization", "Bearer sk-1"}};
  EXPECT_EQ(wire.headers, headers);
  EXPECT_EQ(json(wire.body), json(R"({"model":"gpt-5.1","messages":[{"role":"user","content":"Hi \"you\"\n"}],"stream":true,
                                      "stream_options":{"include_usage":true}})"));
  EXPECT_TRUE(kOpenAi.write(request, "").headers.empty());
}

TEST(OpenAiChatRequest, WholeConversationWithTools) {
  ModelRequest request;
  request.model = "m";
  request.effort = "high";
  request.system = "Be brief.";
  request.messages = {
      user("look"),
      assistant("I look.", {{"c1", "Read", R"({"file_path":"a"})"}, {"c2", "Glob", ""}, {"c3", "Bad", R"({"x":)"}}),
      tool_result("c1", "A"),
      tool_result("c2", ""),
      tool_result("c3", "no"),
      assistant("", {{"c4", "Read", "{}"}}),
      tool_result("c4", "B"),
      assistant(""),
      user("go on")};
  request.messages[1].thinking = {{.text = "hm", .signature = {}, .redacted = {}}};
  request.tools = {{"Read", "Reads.", R"({"type":"object","properties":{"file_path":{"type":"string"}}})"}, {"Now", "", ""}};
  request.max_tokens = 100;
  request.temperature = 0.5;
  request.top_p = 1;
  EXPECT_EQ(body_of(kOpenAi, request), json(R"({"model":"m","messages":[
    {"role":"system","content":"Be brief."},
    {"role":"user","content":"look"},
    {"role":"assistant","content":"I look.","tool_calls":[
      {"id":"c1","type":"function","function":{"name":"Read","arguments":"{\"file_path\":\"a\"}"}},
      {"id":"c2","type":"function","function":{"name":"Glob","arguments":"{}"}},
      {"id":"c3","type":"function","function":{"name":"Bad","arguments":"{\"invalid_arguments\":\"{\\\"x\\\":\"}"}}]},
    {"role":"tool","content":"A","tool_call_id":"c1"},
    {"role":"tool","content":"","tool_call_id":"c2"},
    {"role":"tool","content":"no","tool_call_id":"c3"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c4","type":"function","function":{"name":"Read","arguments":"{}"}}]},
    {"role":"tool","content":"B","tool_call_id":"c4"},
    {"role":"user","content":"go on"}],
   "tools":[{"type":"function","function":{"name":"Read","description":"Reads.","parameters":{"type":"object","properties":{"file_path":{"type":"string"}}}}},
            {"type":"function","function":{"name":"Now","description":"","parameters":{"type":"object","properties":{}}}}],
   "reasoning_effort":"high","max_completion_tokens":100,"temperature":0.5,"top_p":1,
   "stream":true,"stream_options":{"include_usage":true}})"));
}

TEST(OpenAiChatRequest, DialectsOfOtherProviders) {
  ModelRequest request;
  request.model = "m";
  request.effort = "max";
  request.messages = {user("a"), assistant("", {{"c", "A", "{}"}}), tool_result("c", "r")};
  request.messages[1].thinking = {{.text = "hm", .signature = {}, .redacted = {}}};
  request.max_tokens = 9;
  const auto field = [&](const char* provider, const char* key) {
    const auto body = body_of(OpenAiChat(provider), request);
    const auto* found = body.as_object().if_contains(key);
    return found ? base::to_text(*found) : "absent";
  };
  EXPECT_EQ(field("openai", "reasoning_effort"), "\"xhigh\"");
  EXPECT_EQ(field("openrouter", "reasoning_effort"), "\"xhigh\"");
  EXPECT_EQ(field("groq", "reasoning_effort"), "\"high\"");
  EXPECT_EQ(field("groq", "max_tokens"), "9");
  EXPECT_EQ(field("groq", "max_completion_tokens"), "absent");
  EXPECT_EQ(field("mistral", "stream_options"), "absent");
  EXPECT_NE(field("deepseek", "messages").find(R"("reasoning_content":"hm")"), std::string::npos);
  EXPECT_EQ(field("openai", "messages").find("reasoning_content"), std::string::npos);
  request.effort = "minimal";
  EXPECT_EQ(field("groq", "reasoning_effort"), "\"low\"");
  EXPECT_EQ(field("openai", "reasoning_effort"), "\"minimal\"");
}

}  // namespace
}  // namespace llm
