#include "tool/command_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tool/output_scan.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

using testing::HasSubstr;
using testing::Not;

class CommandOutputTest : public testing::Test {
 protected:
  std::string file(const std::string& text) {
    const auto path = (temporary.path() / "stdout").string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::string shown(const std::string& text, OutputBounds bounds = {8 << 10, 24 << 10, 10'000}) {
    return shown_output(file(text), bounds, redactor);
  }
  static std::string numbered(int n) {
    std::string text;
    for (int i = 1; i <= n; ++i) text += "line " + std::to_string(i) + "\n";
    return text;
  }

  const TemporaryDirectory temporary;
  const Redactor redactor{{"ORD-[0-9]+"}};
};

TEST_F(CommandOutputTest, SmallOutputIsWhole) {
  EXPECT_EQ(shown(numbered(100)), numbered(100));
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown_output("/nowhere/at/all", {1, 1, 1}, redactor), "");
  EXPECT_EQ(shown("\x1b[31mORD-17\x1b[0m\n"), "[REDACTED]\n");
  EXPECT_EQ(shown("OR\x1b[0mD-17\n"), "[REDACTED]\n") << "a secret is seen through what is for terminals";
}

TEST_F(CommandOutputTest, LinesAreBoundedAtBothEnds) {
  const auto text = shown(numbered(100), {8 << 10, 24 << 10, 8});
  EXPECT_THAT(text, HasSubstr("line 1\nline 2\n[… 92 lines, "));
  EXPECT_THAT(text, HasSubstr("…]\nline 95\n"));
  EXPECT_TRUE(text.ends_with("line 100\n"));
  EXPECT_THAT(shown(numbered(100), {8 << 10, 24 << 10, 1}), HasSubstr("[… 99 lines, "));
  const auto long_one = shown(numbered(100'000), {8 << 10, 24 << 10, 100});
  EXPECT_THAT(long_one, HasSubstr("line 25\n[… 99900 lines, "));
  EXPECT_THAT(long_one, HasSubstr("…]\nline 99926\n"));
  EXPECT_EQ(shown("no newline", {8 << 10, 24 << 10, 1}), "no newline");
}

TEST_F(CommandOutputTest, ASecretThatACutGoesThroughIsNotShownInPart) {
  const std::string secret = "ORD-" + std::string(40, '7');
  for (std::size_t before = 60; before < 110; ++before) {
    const auto text =
        shown(std::string(before, 'x') + secret + std::string(5'000, 'y') + secret + std::string(before, 'z'), {100, 100, 1'000});
    EXPECT_THAT(text, Not(HasSubstr("77"))) << before;
    EXPECT_THAT(text, Not(HasSubstr("ORD"))) << before;
    EXPECT_THAT(text, HasSubstr("left out")) << before;
    const auto tail = shown_tail(file(std::string(500, 'x') + secret + std::string(before, 'z')), 10, 100, redactor);
    EXPECT_THAT(tail.text, Not(HasSubstr("77"))) << before;
  }
}

TEST_F(CommandOutputTest, TheEndOfAKeyIsNoOutput) {
  std::string key = "-----BEGIN PRIVATE KEY-----\n";
  for (int i = 0; i < 30; ++i) key += std::string(63, 'M') + "\n";
  key += "-----END PRIVATE KEY-----\n";
  const auto tail = shown_tail(file("before\n" + key + "after\n"), 5, 24 << 10, redactor);
  EXPECT_EQ(tail.text, "[REDACTED]\nafter\n");
  EXPECT_EQ(tail.lines, 34);
  EXPECT_EQ(shown_tail(file("a\nb\nc"), 2, 1'000, redactor).text, "b\nc");
}

TEST_F(CommandOutputTest, ASightingTellsItsLineWithoutSecrets) {
  const auto sight = [this](const std::string& text, const std::string& pattern) {
    const auto path = file(text);
    const auto sighting = scan_output(path, path + "-none", pattern, {}, redactor);
    EXPECT_TRUE(sighting.found);
    return sighting.line;
  };
  EXPECT_EQ(sight("a\nready ORD-17 now\nb\n", "ready"), "ready [REDACTED] now");
  EXPECT_EQ(sight("ready", "ready"), "ready");
  EXPECT_EQ(sight("\x1b[1mready\x1b[0m\n", "ready"), "ready");
  EXPECT_EQ(sight("a\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END PRIVATE KEY-----\n", "MII"), "[REDACTED]");
  const auto endless = sight(std::string(300'000, 'x') + "ready" + std::string(300'000, 'y'), "ready");
  EXPECT_THAT(endless, HasSubstr("xxxreadyyyy"));
  EXPECT_LE(endless.size(), 400u);
}

}  // namespace
}  // namespace tool
