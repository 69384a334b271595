#include "api/mcp/task_view.h"

#include <gtest/gtest.h>

#include "api/mcp/tool_table.h"
#include "base/json.h"
#include "tool/schema.h"

namespace api::mcp {
namespace {

using run::Status;

TaskSnapshot task(Status status) {
  TaskSnapshot shot{.task_id = "t", .status = status, .created_ms = 1'000, .updated_ms = 2'500};
  if (run::is_terminal(status)) shot.result = text_result("out", status != Status::completed);
  return shot;
}

TEST(McpTask, EachStatusInTheWordsOfEitherRevision) {
  struct Case {
    Status status;
    const char *handshake, *stateless;
  };
  for (const auto& c : {Case{Status::pending, "working", "working"}, Case{Status::running, "working", "working"},
                        Case{Status::paused, "input_required", "working"}, Case{Status::completed, "completed", "completed"},
                        Case{Status::error, "failed", "completed"}, Case{Status::cancelled, "cancelled", "cancelled"}}) {
    EXPECT_EQ(task_status(task(c.status), Revision::handshake), c.handshake);
    EXPECT_EQ(task_status(task(c.status), Revision::stateless), c.stateless);
  }
  auto lost = task(Status::error);
  lost.lost = true;
  EXPECT_EQ(task_status(lost, Revision::stateless), "failed");
}

TEST(McpTask, FieldsAreNamedAsTheRevisionNamesThem) {
  EXPECT_EQ(base::to_text(task_fields(task(Status::running), Revision::handshake, std::nullopt)),
            R"({"taskId":"t","status":"working","createdAt":"1970-01-01T00:00:01.000Z","lastUpdatedAt":"1970-01-01T00:00:02.500Z","ttl":null,"pollInterval":1000})");
  EXPECT_EQ(base::to_text(task_fields(task(Status::running), Revision::stateless, 5)),
            R"({"taskId":"t","status":"working","createdAt":"1970-01-01T00:00:01.000Z","lastUpdatedAt":"1970-01-01T00:00:02.500Z","ttlMs":5,"pollIntervalMs":1000})");
}

TEST(McpTask, AToolsErrorIsAResultAndALostTaskAnError) {
  const auto failed = detailed_task(task(Status::error), std::nullopt);
  EXPECT_EQ(failed.at("status"), "completed");
  EXPECT_EQ(failed.at("result").at("isError"), true);
  auto lost = task(Status::error);
  lost.lost = true;
  lost.message = "lost: gone";
  const auto detailed = detailed_task(lost, std::nullopt);
  EXPECT_EQ(detailed.at("status"), "failed");
  EXPECT_EQ(detailed.at("error").at("message"), "lost: gone");
  EXPECT_FALSE(detailed.contains("result"));
  EXPECT_FALSE(detailed_task(task(Status::cancelled), std::nullopt).contains("result"));
}

TEST(McpTask, AResultSaysWhoseItIs) {
  EXPECT_EQ(base::to_text(task_result(task(Status::completed))),
            R"({"content":[{"type":"text","text":"out"}],"isError":false,"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t"}}})");
}

TEST(McpTools, SchemasOfTheTableCompile) {
  for (const auto& tool : tool_table()) {
    EXPECT_EQ(find_tool(tool.name), &tool);
    if (!tool.schema.empty()) {
      EXPECT_TRUE(tool::Schema::compile(tool.schema)) << tool.name;
    }
  }
  EXPECT_EQ(find_tool("Background_Run"), nullptr);
}

}  // namespace
}  // namespace api::mcp
