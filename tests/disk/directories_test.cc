// Names beside SQLite's own files: a file is found after a power cut where every directory on the way to it was synced after its
// name was made. The program is linked with --wrap=fsync, so that this can be seen.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "process/child_directory.h"
#include "tests/disk/process.h"
#include "tests/disk/temporary_home.h"

namespace {

std::vector<std::string>* synced = nullptr;  // the paths, while a test looks

}  // namespace

extern "C" int __real_fsync(int fd);
extern "C" int __wrap_fsync(int fd) {
  std::array<char, 4096> path;
  const auto length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  if (synced && length > 0) synced->emplace_back(path.data(), static_cast<std::size_t>(length));
  return __real_fsync(fd);
}

namespace disk {
namespace {

class Directories : public ::testing::Test {
 protected:
  void SetUp() override { synced = &seen; }
  void TearDown() override { synced = nullptr; }
  std::vector<std::string> seen;
  TemporaryHome top;
};

TEST_F(Directories, ANewHomeIsSyncedIntoThoseAboveIt) {
  {
    const Process process(top.path() + "/a/b");
  }
  EXPECT_EQ(seen, (std::vector<std::string>{top.path(), top.path() + "/a"}));
}

TEST_F(Directories, TheFirstCommandOfAHomeIsFoundAgain) {
  const process::ChildDirectory child(top.path() + "/children/run/call");
  child.make({.argv = {"true"}, .directory = "/"});
  for (const auto* made : {"", "/children", "/children/run", "/children/run/call"})
    EXPECT_NE(std::ranges::find(seen, top.path() + made), seen.end()) << made;
}

// The one right to run a command: on disk before anybody acts on it.
TEST_F(Directories, AClaimIsSyncedBeforeItIsTaken) {
  const process::ChildDirectory child(top.path() + "/children/run/call");
  child.make({.argv = {"true"}, .directory = "/"});
  seen.clear();
  EXPECT_TRUE(child.claim("mine"));
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen[0].starts_with(child.file("claim."))) << seen[0];  // its bytes, under a name of its own
  EXPECT_EQ(seen[1], child.path());
  EXPECT_FALSE(child.claim("another's"));
}

}  // namespace
}  // namespace disk
