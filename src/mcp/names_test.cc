#include "mcp/names.h"

#include <gtest/gtest.h>

namespace mcp {
namespace {

TEST(Names, OfServers) {
  for (const auto* name : {"github", "a", "my-server_2", "A"}) EXPECT_TRUE(valid_server_name(name)) << name;
  for (const auto* name : {"", "a b", "a.b", "a__b", "a_", "é", "abcdefghijklmnopqrstuvwxyz0123456"})
    EXPECT_FALSE(valid_server_name(name)) << name;
}

TEST(Names, ForModels) {
  EXPECT_EQ(model_name("github", "create_issue"), "mcp_github__create_issue");
  EXPECT_EQ(all_of("github"), "mcp_github__*");
  const auto dotted = model_name("github", "issues.list");
  EXPECT_TRUE(dotted.starts_with("mcp_github__issues_list_")) << dotted;
  EXPECT_EQ(dotted, model_name("github", "issues.list"));
  const std::string lengthy(100, 'x');
  EXPECT_EQ(model_name("github", lengthy).size(), 64u);
  EXPECT_NE(model_name("github", lengthy), model_name("github", lengthy + "x"));
  EXPECT_NE(dotted, model_name("github", "issues/list"));
  EXPECT_NE(dotted, model_name("github", "issues_list"));
  for (const auto* tool : {"", "\x01", "ü", "a\"b", "../../etc"})
    EXPECT_EQ(model_name("s", tool).find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"),
              std::string::npos)
        << tool;
}

}  // namespace
}  // namespace mcp
