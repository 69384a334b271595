#include "mcp/json_rpc.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/limits.h"

namespace mcp {
namespace {

int refused_code(std::string_view text) {
  const auto decoded = decode(text);
  EXPECT_EQ(decoded.messages.size(), 1u) << text;
  return decoded.messages.front() ? 0 : static_cast<int>(decoded.messages.front().error().error.code);
}

Message message_of(std::string_view text) {
  auto decoded = decode(text);
  EXPECT_TRUE(decoded.messages.front()) << text;
  return *decoded.messages.front();
}

TEST(JsonRpc, TellsRequestsNotificationsAndResponsesApart) {
  const auto request = message_of(R"({"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"a":1}})");
  EXPECT_EQ(request.kind, MessageKind::request);
  EXPECT_EQ(request.id, json::value(7));
  EXPECT_EQ(request.method, "tools/list");
  EXPECT_EQ(request.params, (json::object{{"a", 1}}));
  EXPECT_EQ(message_of(R"({"jsonrpc":"2.0","method":"x"})").kind, MessageKind::notification);
  EXPECT_EQ(message_of(R"({"jsonrpc":"2.0","id":"a","result":{}})").kind, MessageKind::response);
}

TEST(JsonRpc, RefusesWhatIsNone) {
  for (const auto* text : {"", "{", "nul", "\xff", "{\"a\":}"}) EXPECT_EQ(refused_code(text), -32700) << text;
  EXPECT_EQ(refused_code(std::string(100'000, '[')), -32700);
  for (const auto* text :
       {"7", "\"x\"", "null", "[]", R"({"id":1,"method":"x"})", R"({"jsonrpc":"1.0","id":1,"method":"x"})",
        R"({"jsonrpc":"2.0","id":null,"method":"x"})", R"({"jsonrpc":"2.0","id":1.5,"method":"x"})",
        R"({"jsonrpc":"2.0","id":{},"method":"x"})", R"({"jsonrpc":"2.0","id":1})", R"({"jsonrpc":"2.0","id":1,"method":""})"})
    EXPECT_EQ(refused_code(text), -32600) << text;
  EXPECT_EQ(refused_code(R"({"jsonrpc":"2.0","id":1,"method":"x","params":[1]})"), -32602);
  EXPECT_EQ(
      refused_code(R"({"jsonrpc":"2.0","id":")" + std::string(base::limits::kMcpIdBytesMax + 1, 'a') + R"(","method":"x"})"),
      -32600);
}

TEST(JsonRpc, ARefusalKeepsTheIdThatCouldBeRead) {
  const auto decoded = decode(R"({"jsonrpc":"2.0","id":"q","method":"x","params":3})");
  EXPECT_EQ(decoded.messages.front().error().id, json::value("q"));
}

TEST(JsonRpc, ABatchIsBounded) {
  auto text = std::string("[") + "1";
  for (std::size_t i = 1; i < base::limits::kMcpBatchMax; ++i) text += ",1";
  EXPECT_EQ(decode(text + "]").messages.size(), base::limits::kMcpBatchMax);
  EXPECT_EQ(refused_code(text + ",1]"), -32600);
}

TEST(JsonRpc, AnswersAreOneObjectOnOneLine) {
  EXPECT_EQ(encode_answer(1, json::object{{"a", "x\ny"}}), R"({"jsonrpc":"2.0","id":1,"result":{"a":"x\ny"}})");
  EXPECT_EQ(encode_answer("q", refuse(Code::invalid_params, "no")),
            R"({"jsonrpc":"2.0","id":"q","error":{"code":-32602,"message":"no"}})");
  EXPECT_EQ(encode_error(nullptr, {.code = Code::parse_error, .message = "no"}),
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}})");
}

}  // namespace
}  // namespace mcp
