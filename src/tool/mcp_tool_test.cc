#include "tool/mcp_tool.h"

#include "base/json.h"
#include "mcp/client_fixture.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

namespace json = boost::json;

Outcome outcome(std::string_view result) { return outcome_of(base::parse_json(result)->as_object()); }

TEST(McpOutcome, TextsAreJoinedAndTheRestIsNamed) {
  EXPECT_EQ(outcome(R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})").text, "a\nb");
  EXPECT_EQ(outcome(R"({"content":[{"type":"text","text":"a"}],"structuredContent":{"x":1}})").text, "a");
  EXPECT_EQ(outcome(R"({"content":[],"structuredContent":{"x":1}})").text, R"({"x":1})");
  EXPECT_EQ(outcome(R"({"content":[{"type":"image","mimeType":"image/png","data":"AAAAAA=="}],"structuredContent":[1]})").text,
            "[image, image/png, 4 bytes]\n[1]");
  EXPECT_EQ(outcome(R"({"content":[{"type":"audio","data":"AAAA"},{"type":"resource_link","uri":"file:///x","name":"x"}]})").text,
            "[audio, 3 bytes]\n[resource file:///x]");
  EXPECT_EQ(outcome(R"({"content":[{"type":"resource","resource":{"uri":"a:b","mimeType":"text/plain","text":"four"}},
                                   {"type":"resource","resource":{"uri":"a:c","blob":"AAA="}}]})")
                .text,
            "[resource a:b, text/plain, 4 bytes]\n[resource a:c, 2 bytes]");
  EXPECT_FALSE(outcome(R"({"content":[{"type":"text","text":"a"}]})").is_error);
  EXPECT_TRUE(outcome(R"({"content":[{"type":"text","text":"a"}],"isError":true})").is_error);
}

TEST(McpOutcome, NonsenseIsNoReasonToFail) {
  for (const auto* text :
       {"{}", R"({"content":7})", R"({"content":[7,null,{}]})", R"({"content":[{"type":"resource"}],"isError":"x"})",
        R"({"content":[{"type":"image","data":"="}]})", R"({"content":[{"type":"image","data":7}]})"})
    EXPECT_FALSE(outcome(text).text.empty()) << text;
}

class McpToolTest : public mcp::ClientTest {
 protected:
  McpToolTest() : files(file_tools(offload)) {}

  // The tools of a server that lists these and echoes every call.
  Toolbox toolbox(std::string_view listed) {
    mcp::ToolListReader reader("s");
    EXPECT_TRUE(reader.add_page({{"tools", *base::parse_json(listed)}}));
    auto& echoing = client(server([](mcp::FakeTransport& transport, const json::object& call) {
      transport.result(call, {{"content", json::array{{{"type", "text"}, {"text", base::to_text(call.at("params"))}}}}});
    }));
    // The fixture owns the client.
    return Toolbox(mcp_tools("s", std::shared_ptr<mcp::Client>(std::shared_ptr<void>(), &echoing), std::move(reader).finish()),
                   files);
  }

  // Calls one after the other: name and arguments.
  std::vector<Outcome> call(const Toolbox& box, const std::vector<std::pair<std::string, std::string>>& calls) {
    std::vector<Outcome> outcomes;
    auto test = [&]() -> aio::Task<> {
      for (const auto& [name, arguments] : calls) {
        auto called = co_await box.call(name, arguments, {});
        outcomes.push_back(std::move(called));
      }
    };
    run(test());
    return outcomes;
  }

  aio::Offload offload{1};
  Toolbox files;
};

TEST_F(McpToolTest, IsFoundByItsNamesButNotByItsActionAlone) {
  const auto box = toolbox(R"([{"name":"read"},{"name":"issues.list"},{"name":"x"}])");
  for (const auto* name : {"mcp_s__read", "mcp_s.read", "MCP_S.Read"})
    EXPECT_EQ(box.find(name)->definition().name, "mcp_s__read") << name;
  EXPECT_EQ(box.find("mcp_s.issues.list")->definition().action, "issues.list");
  EXPECT_EQ(box.find("read")->definition().name, "Read");
  EXPECT_EQ(box.find("filesystem.read"), files.find("Read"));
  EXPECT_EQ(box.find("x"), nullptr);
  EXPECT_EQ(box.definitions().size(), 3 + files.definitions().size());
}

TEST_F(McpToolTest, ArgumentsAreValidatedHereWhereThatIsCheap) {
  const auto box = toolbox(R"([
    {"name":"plain","inputSchema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}},
    {"name":"loop","inputSchema":{"type":"object","$defs":{"a":{"$ref":"#/$defs/a"}},"properties":{"n":{"$ref":"#/$defs/a"}}}},
    {"name":"zero","inputSchema":{"type":"object","properties":{"n":{"type":"integer","multipleOf":0}}}},
    {"name":"wrong","inputSchema":{"type":"object","properties":{"n":{"type":"nonsense"}},"required":7}}])");
  const auto answered = call(box, {{"mcp_s__plain", R"({"n":"x"})"},
                                   {"mcp_s__plain", R"({"n":"7"})"},
                                   {"mcp_s.loop", R"({"n":5,"m":1})"},
                                   {"mcp_s.zero", R"({"n":5,"m":1})"},
                                   {"mcp_s.wrong", R"({"n":5,"m":1})"},
                                   {"mcp_s.zero", "[1]"}});
  ASSERT_EQ(answered.size(), 6u);
  EXPECT_EQ(answered[0].text, "mcp_s__plain: 'n' must be an integer, not a string");
  EXPECT_EQ(answered[1].text, R"({"name":"plain","arguments":{"n":7}})");
  EXPECT_EQ(answered[2].text, R"({"name":"loop","arguments":{"n":5,"m":1}})");
  EXPECT_EQ(answered[3].text, R"({"name":"zero","arguments":{"n":5,"m":1}})");
  EXPECT_EQ(answered[4].text, R"({"name":"wrong","arguments":{"n":5,"m":1}})");
  EXPECT_TRUE(answered[5].is_error);
}

TEST_F(McpToolTest, SaysWhatRecoveryMayDo) {
  const auto box =
      toolbox(R"([{"name":"a","annotations":{"readOnlyHint":true}},{"name":"b","annotations":{"idempotentHint":true}},
                               {"name":"c","annotations":{"destructiveHint":false}},{"name":"d"}])");
  const auto effect = [&](const char* name) { return box.find(name)->side_effect({}); };
  EXPECT_EQ(effect("mcp_s__a"), SideEffect::idempotent);
  EXPECT_EQ(effect("mcp_s__b"), SideEffect::idempotent);
  EXPECT_EQ(effect("mcp_s__c"), SideEffect::at_most_once);
  EXPECT_EQ(effect("mcp_s__d"), SideEffect::at_most_once);
}

}  // namespace
}  // namespace tool
