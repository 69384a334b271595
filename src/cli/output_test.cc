// Text on its way to a terminal.
#include "cli/output.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(Harmless, TakesTheCommandsOutOfText) {
  EXPECT_EQ(harmless("plain\ttext\nnext"), "plain\ttext\nnext");
  EXPECT_EQ(harmless("a\x1b[31mred"), "a\uFFFD[31mred");
  EXPECT_EQ(harmless("bell\x07 back\b del\x7f cr\r"), "bell\uFFFD back\uFFFD del\uFFFD cr\uFFFD");
  EXPECT_EQ(harmless("c1\u009b31m"), "c1\uFFFD31m");  // the one-character form of ESC [
  EXPECT_EQ(harmless("é ü 漢 🙂 \u00a0"), "é ü 漢 🙂 \u00a0");
}

TEST(OneLine, CutsAtCodePointsAndJoinsBlanks) {
  EXPECT_EQ(one_line("  a\n\n b\t c ", 10), "a b c");
  EXPECT_EQ(one_line("漢漢", 4), "漢漢");
  EXPECT_EQ(one_line("漢\n漢漢", 4), "漢 …");
  EXPECT_EQ(one_line(std::string(1'000'000, 'x'), 3), "xx…");
  EXPECT_EQ(one_line("", 3), "");
}

TEST(Times, AreShort) {
  EXPECT_EQ(age(0, 59'999), "59s");
  EXPECT_EQ(age(0, 3'600'000), "1h");
  EXPECT_EQ(age(5'000, 0), "0s");
  EXPECT_EQ(age(0, 9 * 86'400'000ll), "9d");
  EXPECT_EQ(duration(1'849), "1.8s");
  EXPECT_EQ(duration(125'000), "2m05s");
  EXPECT_EQ(duration(11'400'000), "3h10m");
}

TEST(ExitCodes, FollowTheReference) {
  EXPECT_EQ(exit_code_of(base::Errc::not_found), 2);
  EXPECT_EQ(exit_code_of(base::Errc::ambiguous), 2);
  EXPECT_EQ(exit_code_of(base::Errc::conflict), 1);
  EXPECT_EQ(exit_code_of(base::Errc::unavailable), 78);
  EXPECT_EQ(exit_code_of(base::Errc::timed_out), 124);
}

}  // namespace
}  // namespace cli
