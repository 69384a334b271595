#include "api/mcp/revision.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace api::mcp {
namespace {

Message request(std::string method, std::string_view params) {
  return {.kind = MessageKind::request, .id = 1, .method = std::move(method), .params = base::parse_json(params)->as_object()};
}

constexpr std::string_view kMeta =
    R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}},"name":"run_wait","taskId":"t"})";

int code_of(const Message& message, std::optional<VersionHeader> header) {
  const auto meta = read_meta(message, header);
  return meta ? 0 : static_cast<int>(meta.error().code);
}

TEST(Revision, AnOlderClientGetsItsOwnAndAnUnknownOneTheNewestWithAHandshake) {
  for (const auto* version : {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}) EXPECT_EQ(negotiate(version), version);
  for (const auto* version : {"2026-07-28", "2099-01-01", "", "x"}) EXPECT_EQ(negotiate(version), kWithTasks);
}

TEST(Revision, ARequestIsStatelessByItsMetaOrByItsHeader) {
  EXPECT_TRUE(is_stateless(request("ping", kMeta), std::nullopt));
  EXPECT_TRUE(is_stateless(request("ping", "{}"), kStateless));
  EXPECT_TRUE(is_stateless(request("ping", "{}"), "2099-01-01"));
  EXPECT_FALSE(is_stateless(request("ping", "{}"), "2025-06-18"));
  EXPECT_FALSE(is_stateless(request("ping", R"({"_meta":{"progressToken":1}})"), std::nullopt));
}

TEST(Revision, AStatelessRequestSaysItsVersionAndWhatItsClientCan) {
  const auto meta = read_meta(request("tools/list", kMeta), VersionHeader{kStateless});
  ASSERT_TRUE(meta);
  EXPECT_TRUE(meta->takes_tasks);
  EXPECT_TRUE(read_meta(request("tools/list", kMeta), std::nullopt));  // no HTTP, no header
  EXPECT_EQ(code_of(request("tools/list", kMeta), VersionHeader{std::nullopt}), -32020);
  EXPECT_EQ(code_of(request("tools/list", kMeta), VersionHeader{kWithTasks}), -32020);
  for (const auto* params : {"{}", R"({"_meta":7})", R"({"_meta":{}})", R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}})",
                             R"({"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}})"})
    EXPECT_EQ(code_of(request("tools/list", params), VersionHeader{kStateless}), -32602) << params;
  const auto later = request("tools/list", R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01"}})");
  EXPECT_EQ(code_of(later, VersionHeader{"2099-01-01"}), -32022);
}

TEST(Revision, HeadersRepeatTheBody) {
  EXPECT_FALSE(check_headers(request("tools/list", kMeta), "tools/list", std::nullopt));
  EXPECT_FALSE(check_headers(request("tools/call", kMeta), " tools/call ", " run_wait "));
  EXPECT_FALSE(check_headers(request("tasks/get", kMeta), "tasks/get", "t"));
  EXPECT_TRUE(check_headers(request("tools/list", kMeta), std::nullopt, std::nullopt));
  EXPECT_TRUE(check_headers(request("tools/list", kMeta), "TOOLS/LIST", std::nullopt));
  EXPECT_TRUE(check_headers(request("tools/call", kMeta), "tools/call", std::nullopt));
  EXPECT_TRUE(check_headers(request("tasks/get", kMeta), "tasks/get", "another"));
  EXPECT_TRUE(check_headers(request("tasks/get", "{}"), "tasks/get", "t"));
}

}  // namespace
}  // namespace api::mcp
