#include <atomic>
#include <thread>

#include "tool/tool_fixture.h"

namespace tool {
namespace {

class WriteToolTest : public ToolTest {
 protected:
  mode_t mode(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(stat((work / path).c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  std::size_t entries(const std::filesystem::path& path) {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path)) ++n;
    return n;
  }
};

TEST_F(WriteToolTest, CreatesFilesAndDirectories) {
  EXPECT_EQ(ok("Write", {{"file_path", "new/dir/a.txt"}, {"content", "one\ntwo\n"}}),
            "Created 'new/dir/a.txt': 8 bytes, 2 lines; made 2 directories.");
  EXPECT_EQ(get("new/dir/a.txt"), "one\ntwo\n");
  EXPECT_EQ(ok("Write", {{"path", (work / "b.txt").string()}, {"content", ""}}), "Created 'b.txt': 0 bytes, 0 lines.");
  EXPECT_TRUE(has("b.txt"));
}

TEST_F(WriteToolTest, ReplacesAndKeepsTheMode) {
  put("run.sh", "old");
  ASSERT_EQ(chmod((work / "run.sh").c_str(), 0751), 0);
  EXPECT_EQ(ok("Write", {{"path", "run.sh"}, {"content", "new"}}), "Replaced 'run.sh': 3 bytes, 1 line.");
  EXPECT_EQ(get("run.sh"), "new");
  EXPECT_EQ(mode("run.sh"), 0751u);
  // Nothing temporary stays behind.
  EXPECT_EQ(entries(work), 1u);
}

TEST_F(WriteToolTest, NewFilesObeyTheUmask) {
  const auto before = umask(027);
  ok("Write", {{"path", "a.txt"}, {"content", "x"}});
  umask(before);
  EXPECT_EQ(mode("a.txt"), 0640u);
}

TEST_F(WriteToolTest, KeepsBytesAsTheyAre) {
  const std::string content = "a\r\nb\tc\0d €\n";
  ok("Write", {{"path", "a.txt"}, {"content", "a\r\nb\tc €"}});
  EXPECT_EQ(get("a.txt"), "a\r\nb\tc €");
}

TEST_F(WriteToolTest, WritesThroughLinksInside) {
  put("sub/target.txt", "old");
  link("alias", "sub/target.txt");
  EXPECT_EQ(ok("Write", {{"path", "alias"}, {"content", "new"}}), "Replaced 'sub/target.txt': 3 bytes, 1 line.");
  EXPECT_EQ(get("sub/target.txt"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(work / "alias"));
}

TEST_F(WriteToolTest, StaysInside) {
  std::ofstream(outside / "target.txt") << "theirs";
  link("file", "../outside/target.txt");
  link("absolute", (outside / "target.txt").string());
  link("dir", "../outside");
  link("dangling", "../outside/new.txt");
  for (const auto& path :
       {std::string("../outside/x"), (outside / "x").string(), std::string("file"), std::string("absolute"), std::string("dir/x"),
        std::string("dangling"), std::string("dir/new/x"), std::string("a/../../outside/x")})
    fails("Write", {{"path", path}, {"content", "mine"}});
  EXPECT_EQ(entries(outside), 1u);
  std::ifstream stream(outside / "target.txt");
  std::string content;
  stream >> content;
  EXPECT_EQ(content, "theirs");
}

TEST_F(WriteToolTest, RefusesWhatIsNoFile) {
  std::filesystem::create_directories(work / "dir");
  ASSERT_EQ(mkfifo((work / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(fails("Write", {{"path", "dir"}, {"content", "x"}}), "Write: 'dir' is a directory; Glob lists its files");
  EXPECT_EQ(fails("Write", {{"path", "new/"}, {"content", "x"}}), "Write: 'new/' names a directory, not a file");
  EXPECT_EQ(fails("Write", {{"path", "fifo"}, {"content", "x"}}), "Write: 'fifo' is a fifo, not a regular file");
  EXPECT_EQ(fails("Write", {{"path", "fifo/x"}, {"content", "x"}}), "Write: 'fifo': a part of the path is not a directory");
  EXPECT_EQ(fails("Write", {{"path", "a.txt"}}), "Write: 'content' is required");
  EXPECT_FALSE(has("new"));
}

TEST_F(WriteToolTest, RespectsReadOnlyFiles) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everything";
  put("a.txt", "old");
  ASSERT_EQ(chmod((work / "a.txt").c_str(), 0444), 0);
  EXPECT_EQ(fails("Write", {{"path", "a.txt"}, {"content", "x"}}), "Write: 'a.txt' may not be written: Permission denied");
  EXPECT_EQ(get("a.txt"), "old");
}

TEST_F(WriteToolTest, ReadersSeeOldOrNewNeverAPart) {
  const std::string even(200'000, 'e');
  const std::string odd(300'000, 'o');
  put("a.txt", even);
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::thread reader([&] {
    while (!done) {
      const auto content = get("a.txt");
      torn += content != even && content != odd;
    }
  });
  for (int i = 0; i < 30; ++i) ok("Write", {{"path", "a.txt"}, {"content", i % 2 ? odd : even}});
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace tool
