#include "harness/versions.h"

#include <gmock/gmock.h>

namespace harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(HarnessVersions, AreFoundInWhatProgramsPrint) {
  EXPECT_EQ(version_in("2.1.329 (Claude Code)\n"), "2.1.329");
  EXPECT_EQ(version_in("codex-cli 0.169.0"), "0.169.0");
  EXPECT_EQ(version_in("v1.2."), "1.2");
  EXPECT_EQ(version_in("no version"), "");
}

TEST(HarnessVersions, AreOrderedByTheirNumbers) {
  EXPECT_TRUE(is_before("2.1.99", "2.1.197"));
  EXPECT_FALSE(is_before("2.1.197", "2.1.197"));
  EXPECT_TRUE(is_before("1.9", "2.0.0"));
}

TEST(HarnessVersions, TellWhatIsKnownToDiffer) {
  EXPECT_THAT(known_differences("claude", "2.1.100"), ElementsAre(HasSubstr("no background agents")));
  EXPECT_THAT(known_differences("claude", "2.1.197"), ElementsAre(HasSubstr("new session id")));
  EXPECT_THAT(known_differences("claude", tried_version("claude")), ElementsAre(HasSubstr("draft pull request")));
  EXPECT_TRUE(known_differences("codex", "0.1").empty());
}

}  // namespace
}  // namespace harness
