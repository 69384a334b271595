#include "mcp/lines.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcp {
namespace {

std::vector<std::string> split(std::string_view text, std::size_t chunk, std::size_t bytes_max) {
  Lines lines(bytes_max);
  std::vector<std::string> out;
  for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) {
    lines.feed(text.substr(0, chunk));
    while (const auto line = lines.next()) out.push_back(line->too_long ? "<too long>" : line->text);
  }
  return out;
}

TEST(Lines, AreTheSameInChunksOfAnySize) {
  const std::string_view text = "one\ntwo\r\n\nfour is longer than ten\n12345\n1234567890\n12345678901\nrest";
  const std::vector<std::string> expected = {"one", "two", "", "<too long>", "12345", "1234567890", "<too long>"};
  for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) EXPECT_EQ(split(text, chunk, 10), expected) << chunk;
}

TEST(Lines, OneThatNeverEndsIsNotKept) {
  Lines lines(10);
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 64; ++i) {
    lines.feed(block);
    EXPECT_FALSE(lines.next());
  }
  lines.feed("\nok\n");
  EXPECT_TRUE(lines.next()->too_long);
  EXPECT_EQ(lines.next()->text, "ok");
}

}  // namespace
}  // namespace mcp
