// The pointer behind -c.
#include "cli/last_branch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace cli {
namespace {

namespace fs = std::filesystem;

class LastBranchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "outlast-last-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    home = name;
    fs::create_directories(home + "/project/.git");
    fs::create_directories(home + "/project/deep/er");
  }
  void TearDown() override { fs::remove_all(home); }
  std::string home;
};

TEST_F(LastBranchTest, IsOfTheProjectThenOfAll) {
  const LastBranch pointer(home);
  EXPECT_TRUE(pointer.used_last("/").empty());
  pointer.use(home + "/project/deep", "r1", "b1");
  pointer.use("/elsewhere", "r2", "b2");
  EXPECT_EQ(pointer.used_last(home + "/project/deep/er"), (std::vector<std::string>{"b1", "b2"}));
  EXPECT_EQ(pointer.used_last("/nowhere"), std::vector<std::string>{"b2"});
}

TEST_F(LastBranchTest, ManyAtOnceAreAllKept) {
  {
    std::vector<std::jthread> commands;
    for (int i = 0; i < 8; ++i)
      commands.emplace_back([this, i] {
        for (int k = 0; k < 10; ++k) LastBranch(home).use("/p" + std::to_string(i), "r", "b" + std::to_string(i));
      });
  }
  for (int i = 0; i < 8; ++i) EXPECT_EQ(LastBranch(home).used_last("/p" + std::to_string(i)).front(), "b" + std::to_string(i));
}

TEST_F(LastBranchTest, StaysBoundedAndOutlivesATornFile) {
  const LastBranch pointer(home);
  std::ofstream(pointer.path()) << "{\"run_id\":";
  EXPECT_TRUE(pointer.used_last("/").empty());
  for (int i = 0; i < 205; ++i) pointer.use("/p" + std::to_string(i), "r", "b" + std::to_string(i));
  EXPECT_EQ(pointer.used_last("/p204").front(), "b204");
  EXPECT_LT(fs::file_size(pointer.path()), 40'000u);
}

}  // namespace
}  // namespace cli
