#include "cli/task_words.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

using Texts = std::vector<std::string>;

TEST(TaskWords, ASlugIsMadeOfANamesPlainLetters) {
  EXPECT_EQ(slug_of("Fix the Login"), "fix-the-login");
  EXPECT_EQ(slug_of("  (urgent!) API v2.1 -- done?  "), "urgent-api-v2-1-done");
  EXPECT_EQ(slug_of("Größe ändern"), "gr-e-ndern");
  EXPECT_EQ(slug_of("汉字"), "task");
  EXPECT_EQ(slug_of("---"), "task");
  EXPECT_EQ(slug_of(std::string(63, 'a') + " b"), std::string(63, 'a')) << "cut, and no dash is left at its end";
  for (const auto* name : {"x", "A b", "1", "-x-", "ä9"}) EXPECT_TRUE(is_slug(slug_of(name))) << name;
}

TEST(TaskWords, TheSecondOfANameIsNumbered) {
  EXPECT_EQ(numbered_slug("a", 1), "a");
  EXPECT_EQ(numbered_slug("a", 2), "a-2");
  const auto long_one = numbered_slug(std::string(64, 'a'), 999);
  EXPECT_EQ(long_one, std::string(60, 'a') + "-999");
  EXPECT_TRUE(is_slug(long_one));
}

TEST(TaskWords, SlugsHaveOneShape) {
  for (const auto* good : {"a", "9", "a-b", "a--b-", "0-"}) EXPECT_TRUE(is_slug(good)) << good;
  for (const auto* bad : {"", "-a", "A", "a_b", "a b", "a/b", "..", "ä", "a\n"}) EXPECT_FALSE(is_slug(bad)) << bad;
  EXPECT_TRUE(is_slug(std::string(64, 'a')));
  EXPECT_FALSE(is_slug(std::string(65, 'a')));
}

TEST(TaskWords, TextIsOneCleanLine) {
  EXPECT_EQ(*task_text("  grüße \"x\" ", "name"), "grüße \"x\"");
  for (const auto* bad : {"a\nb", "a\tb", "a\x1b[2J", "\xff"}) EXPECT_EQ(task_text(bad, "name").error().code, kUsage) << bad;
  EXPECT_NE(task_text(std::string(2'000, 'x'), "name").error().message.find("brief"), std::string::npos);
}

TEST(TaskWords, PriorityTagsAndHarnessAreChecked) {
  EXPECT_EQ(*task_priority("High"), "high");
  EXPECT_NE(task_priority("urgent").error().message.find("high, medium or low"), std::string::npos);
  EXPECT_EQ(*task_tags({"a", "b", "a"}), (Texts{"a", "b"}));
  for (const auto& bad : {Texts{""}, Texts{"a,b"}, Texts{"a\nb"}}) EXPECT_FALSE(task_tags(bad)) << bad[0];
  EXPECT_EQ(*task_harness(""), "");
  EXPECT_EQ(*task_harness("codex"), "codex");
  const auto unknown = task_harness("emacs");
  ASSERT_FALSE(unknown);
  for (const auto* name : {"claude", "codex", "gemini", "opencode"})
    EXPECT_NE(unknown.error().message.find(name), std::string::npos) << "the known ones are listed";
}

TEST(TaskWords, ACommandIsTextOfABoundedLength) {
  EXPECT_EQ(*task_command("  make test\n", "--check"), "make test");
  EXPECT_EQ(*task_command(" ", "--check"), "");
  EXPECT_EQ(task_command(std::string(5'000, 'x'), "--check").error().message.rfind("--check: ", 0), 0U);
  EXPECT_EQ(task_command(std::string("a\0b", 3), "--notify").error().code, kUsage);
}

TEST(TaskWords, ADueDayCanBeTakenAway) {
  EXPECT_EQ(*task_due("", 0), "");
  EXPECT_EQ(*task_due("None", 0), "");
  EXPECT_EQ(*task_due("2031-05-06", 0), "2031-05-06");
  EXPECT_NE(task_due("soon", 0).error().message.find("tomorrow"), std::string::npos);
}

}  // namespace
}  // namespace cli
