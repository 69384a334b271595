// Text that must stand in columns.
#include "cli/columns.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(ColumnsOf, IsWhatATerminalShows) {
  EXPECT_EQ(columns_of(""), 0u);
  EXPECT_EQ(columns_of("plain"), 5u);
  EXPECT_EQ(columns_of("é ü ✗ …"), 7u);
  EXPECT_EQ(columns_of("漢字"), 4u);
  EXPECT_EQ(columns_of("🙂"), 2u);
  EXPECT_EQ(columns_of("e\u0301"), 1u) << "a combining accent";
  EXPECT_EQ(columns_of("\xFF\xE6\xBC"), 3u) << "no UTF-8";
}

TEST(CutTo, NeverSplitsACharacterAndNeverIsWider) {
  EXPECT_EQ(cut_to("abc", 3), "abc");
  EXPECT_EQ(cut_to("abcd", 3), "ab…");
  EXPECT_EQ(cut_to("漢漢漢", 6), "漢漢漢");
  EXPECT_EQ(cut_to("漢漢漢", 5), "漢漢…");
  EXPECT_EQ(cut_to("漢漢漢", 4), "漢…") << "a wide one has no half";
  EXPECT_EQ(cut_to("abc", 1), "…");
  EXPECT_EQ(cut_to("abc", 0), "");
}

TEST(Padded, FillsUpToAWidth) {
  EXPECT_EQ(padded("é", 3), "é  ");
  EXPECT_EQ(padded("漢", 3), "漢 ");
  EXPECT_EQ(padded("long", 2), "long");
}

}  // namespace
}  // namespace cli
