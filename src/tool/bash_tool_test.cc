#include <gtest/gtest.h>

#include "tool/shell_tools.h"
#include "tool/terminal_text.h"

namespace tool {
namespace {

TEST(PlainText, TakesOutWhatIsForTerminals) {
  EXPECT_EQ(plain_text("\x1b[1;31mred\x1b[0m plain"), "red plain");
  EXPECT_EQ(plain_text("\x1b]0;a title\x07text\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "textlink");
  EXPECT_EQ(plain_text("\x1b(B\x1b=x\x1b"), "x");
  EXPECT_EQ(plain_text("a\x01\x7f\x08"
                       "b\tc\n"),
            "b\tc\n");
  EXPECT_EQ(plain_text("\x1b[12"), "");
}

TEST(PlainText, ACarriageReturnBeginsItsLineAnew) {
  EXPECT_EQ(plain_text("one\n10%\r50%\r100%\ntwo\r\n"), "one\n100%\ntwo\n");
  EXPECT_EQ(plain_text("kept\r"), "kept");
}

TEST(PlainText, IsUtf8) {
  EXPECT_EQ(plain_text("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(plain_text("a\xff"
                       "b\xc3"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST(ShellEnvironment, PassesOnNoSecrets) {
  EXPECT_EQ(shell_environment(
                {"PATH=/bin", "OPENAI_API_KEY=sk", "LC_ALL=C", "OS_SECURITY_KEY=x", "AWS_SECRET=1", "HOME=/h", "PATHX=1"}),
            (std::vector<std::string>{"PATH=/bin", "LC_ALL=C", "HOME=/h"}));
}

}  // namespace
}  // namespace tool
