// The program is linked with --wrap=fsync: what is synced beside SQLite's own files is seen here.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

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

TEST(Home, ANewOneIsSyncedIntoTheDirectoriesAboveIt) {
  std::vector<std::string> seen;
  TemporaryHome top;
  synced = &seen;
  { const Process process(top.path() + "/a/b"); }
  synced = nullptr;
  EXPECT_EQ(seen, (std::vector<std::string>{top.path(), top.path() + "/a"}));
}

}  // namespace
}  // namespace disk
