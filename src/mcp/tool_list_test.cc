#include "mcp/tool_list.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/limits.h"
#include "mcp/task.h"

namespace mcp {
namespace {

namespace limits = base::limits;

ToolList read(std::string_view tools) {
  ToolListReader reader("s");
  EXPECT_TRUE(reader.add_page(base::parse_json(R"({"tools":)" + std::string(tools) + "}")->as_object()));
  return std::move(reader).finish();
}

TEST(ToolList, WhatAToolIs) {
  const auto list =
      read(R"([{"name":"b","description":"does b","inputSchema":{"type":"object","properties":{"x":{"type":"string"}}},
    "annotations":{"readOnlyHint":true},"execution":{"taskSupport":"optional"}},
    {"name":"a","title":"A","inputSchema":{"properties":{}},"annotations":{"destructiveHint":true}},
    {"name":"c","inputSchema":7,"annotations":{"idempotentHint":true},"execution":{"taskSupport":"required"}}])");
  ASSERT_EQ(list.tools.size(), 3u);
  EXPECT_TRUE(list.left_out.empty());
  const auto& [a, b, c] = std::tie(list.tools[0], list.tools[1], list.tools[2]);
  EXPECT_EQ(a.model_name, "mcp_s__a");
  EXPECT_EQ(a.description, "A");
  EXPECT_EQ(a.schema, R"({"properties":{},"type":"object"})");
  EXPECT_FALSE(a.repeatable);
  EXPECT_EQ(a.tasks, TaskSupport::forbidden);
  EXPECT_EQ(b.description, "does b");
  EXPECT_EQ(b.schema, R"({"type":"object","properties":{"x":{"type":"string"}}})");
  EXPECT_TRUE(b.repeatable);
  EXPECT_EQ(b.tasks, TaskSupport::optional);
  EXPECT_EQ(c.schema, R"({"type":"object"})");
  EXPECT_TRUE(c.repeatable);
  EXPECT_EQ(c.tasks, TaskSupport::required);
}

TEST(ToolList, WhatIsNoToolIsLeftOut) {
  const auto lengthy = std::string(limits::kMcpToolNameBytesMax + 1, 'x');
  const auto list =
      read(R"([7, null, {}, {"name":""}, {"name":5}, {"name":"a\nb"}, {"name":")" + lengthy + R"("}, {"name":"ok"}, {"name":"ok"},
    {"name":"huge","inputSchema":{"type":"object","description":")" +
           std::string(limits::kMcpSchemaBytesMax, 'd') + R"("}}])");
  ASSERT_EQ(list.tools.size(), 1u);
  EXPECT_EQ(list.tools[0].name, "ok");
  EXPECT_EQ(list.left_out.size(), 9u);
}

TEST(ToolList, ToolsThatDifferInCaseAloneAreOneWhateverTheirOrder) {
  for (const auto* tools :
       {R"([{"name":"get"},{"name":"Get"},{"name":"other"}])", R"([{"name":"other"},{"name":"Get"},{"name":"get"}])"}) {
    const auto list = read(tools);
    ASSERT_EQ(list.tools.size(), 2u);
    EXPECT_EQ(list.tools[0].name, "Get");
    EXPECT_EQ(list.tools[1].name, "other");
    EXPECT_EQ(list.left_out.size(), 1u);
  }
}

TEST(ToolList, IsBoundedInPagesToolsAndText) {
  ToolListReader reader("s");
  const auto page = [](int n) {
    return base::parse_json(R"({"tools":[{"name":"t)" + std::to_string(n) + R"("}],"nextCursor":"more"})")->as_object();
  };
  std::size_t pages = 0;
  while (*reader.add_page(page(static_cast<int>(pages)))) ++pages;
  EXPECT_EQ(pages + 1, limits::kMcpListPagesMax);

  std::string many = R"([{"name":"d","description":")" + std::string(2 * limits::kMcpDescriptionBytesMax, 'x') + "\"}";
  for (std::size_t i = 0; i < limits::kMcpToolsMax + 5; ++i) many += R"(,{"name":"t)" + std::to_string(i) + "\"}";
  const auto list = read(many + "]");
  EXPECT_EQ(list.tools.size(), limits::kMcpToolsMax);
  EXPECT_LE(list.tools[0].description.size(), limits::kMcpDescriptionBytesMax + 3);
  EXPECT_FALSE(list.left_out.empty());
}

TEST(ToolList, AnAnswerWithoutToolsIsNone) {
  ToolListReader reader("s");
  EXPECT_FALSE(reader.add_page({}));
  EXPECT_FALSE(reader.add_page({{"tools", 7}}));
  EXPECT_FALSE(*reader.add_page({{"tools", json::array()}, {"nextCursor", 7}}));
}

TEST(Task, IsReadWithinBounds) {
  const auto read = [](std::string_view text) { return read_task(base::parse_json(text)->as_object()); };
  const auto task = read(R"({"taskId":"t","status":"input_required","statusMessage":"hm","pollInterval":5000,"ttl":null})");
  ASSERT_TRUE(task);
  EXPECT_EQ(task->status, TaskStatus::input_required);
  EXPECT_EQ(task->message, "hm");
  EXPECT_EQ(task->poll_ms, 5'000);
  EXPECT_TRUE(task->is_live());
  EXPECT_FALSE(read(R"({"taskId":"t","status":"cancelled"})")->is_live());
  EXPECT_EQ(read(R"({"taskId":"t","status":"working","pollInterval":-1})")->poll_ms, limits::kMcpPollMsMin);
  EXPECT_EQ(read(R"({"taskId":"t","status":"working","pollInterval":99999999999})")->poll_ms, limits::kMcpPollMsMax);
  for (const auto* text : {"{}", R"({"taskId":"t"})", R"({"taskId":"","status":"working"})", R"({"taskId":1,"status":"working"})",
                           R"({"taskId":"t","status":"done"})"})
    EXPECT_FALSE(read(text)) << text;
  EXPECT_TRUE(created_task({{"task", {{"taskId", "t"}, {"status", "working"}}}}));
  EXPECT_FALSE(created_task({{"content", json::array()}}));
  EXPECT_TRUE(offers_tasks(base::parse_json(R"({"tasks":{"requests":{"tools":{"call":{}}}}})")->as_object()));
  EXPECT_FALSE(offers_tasks(base::parse_json(R"({"tasks":{"requests":{"tools":true}}})")->as_object()));
}

}  // namespace
}  // namespace mcp
