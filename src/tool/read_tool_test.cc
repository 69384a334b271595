#include <sys/resource.h>

#include "base/limits.h"
#include "base/text.h"
#include "tool/bounds.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

using ReadToolTest = ToolTest;

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

TEST_F(ReadToolTest, NumbersLinesLikeCat) {
  put("a.txt", "one\ntwo\n\nfour");
  EXPECT_EQ(ok("Read", {{"file_path", "a.txt"}}), "     1\tone\n     2\ttwo\n     3\t\n     4\tfour\n");
}

TEST_F(ReadToolTest, TakesThePathByItsOtherNames) {
  put("a.txt", "x\n");
  for (const auto* name : {"path", "file", "filePath", "file_path"})
    EXPECT_EQ(ok("Read", {{name, "a.txt"}}), "     1\tx\n") << name;
  EXPECT_EQ(ok("Read", {{"path", (work / "a.txt").string()}}), "     1\tx\n");
}

TEST_F(ReadToolTest, ShowsThePartThatWasAskedFor) {
  put("a.txt", lines(1, 10));
  EXPECT_EQ(ok("Read", {{"path", "a.txt"}, {"offset", 4}, {"limit", 2}}),
            "     4\tline 4\n     5\tline 5\n[lines 4-5 of 10; go on with offset 6]");
  EXPECT_EQ(ok("Read", {{"path", "a.txt"}, {"offset", "9"}}), "     9\tline 9\n    10\tline 10\n");
  EXPECT_EQ(ok("Read", {{"path", "a.txt"}, {"offset", 0}, {"limit", 1}}),
            "     1\tline 1\n[lines 1-1 of 10; go on with offset 2]");
  EXPECT_EQ(fails("Read", {{"path", "a.txt"}, {"offset", 11}}), "Read: offset 11 is past the end: 'a.txt' has 10 lines");
  EXPECT_EQ(fails("Read", {{"path", "a.txt"}, {"offset", -1}}), "Read: 'offset' must be at least 0");
}

TEST_F(ReadToolTest, SaysWhereItStopped) {
  put("a.txt", lines(1, 2'500));
  const auto text = ok("Read", {{"path", "a.txt"}});
  EXPECT_TRUE(text.ends_with("  2000\tline 2000\n[lines 1-2000 of 2500; go on with offset 2001]"))
      << text.substr(text.size() - 100);
}

TEST_F(ReadToolTest, StopsWithinTheResultBound) {
  std::string content;
  for (int i = 0; i < 1'000; ++i) content += std::string(1'000, 'x') + "\n";
  put("a.txt", content);
  const auto text = ok("Read", {{"path", "a.txt"}});
  EXPECT_LE(text.size(), base::limits::kToolResultBytesMax);
  EXPECT_GT(text.size(), base::limits::kToolResultBytesMax * 9 / 10);
  EXPECT_EQ(text.find("bytes cut"), std::string::npos);
  EXPECT_NE(text.find(" of 1000; go on with offset "), std::string::npos);
}

TEST_F(ReadToolTest, CutsEndlessLinesHonestly) {
  put("a.txt", std::string(1'999, 'x') + "€€ end\nnext\n");
  const auto text = ok("Read", {{"path", "a.txt"}});
  EXPECT_TRUE(base::valid_utf8(text));
  EXPECT_NE(text.find("… [line cut, 2009 bytes]\n     2\tnext\n"), std::string::npos) << text.substr(1'990);
  put("b.txt", std::string(3'000'000, 'y'));
  EXPECT_NE(ok("Read", {{"path", "b.txt"}}).find("[line cut, 3000000 bytes]"), std::string::npos);
}

TEST_F(ReadToolTest, KeepsCarriageReturns) {
  put("a.txt", "one\r\ntwo\r\n");
  EXPECT_EQ(ok("Read", {{"path", "a.txt"}}), "     1\tone\r\n     2\ttwo\r\n");
}

TEST_F(ReadToolTest, ReplacesInvalidUtf8) {
  put("a.txt", "caf\xe9\n");
  EXPECT_EQ(ok("Read", {{"path", "a.txt"}}), "     1\tcaf\xEF\xBF\xBD\n");
}

TEST_F(ReadToolTest, SaysThatAFileIsEmpty) {
  put("a.txt", "");
  EXPECT_EQ(ok("Read", {{"path", "a.txt"}}), "['a.txt' is empty]");
}

TEST_F(ReadToolTest, RefusesBinaryFilesWithTheirSize) {
  put("a.bin", std::string("\x7f"
                           "ELF\0\0\0",
                           7));
  EXPECT_EQ(fails("Read", {{"path", "a.bin"}}), "Read: 'a.bin' is a binary file of 7 bytes");
}

TEST_F(ReadToolTest, RefusesHugeFilesButStreamsParts) {
  put("a.txt", lines(1, 5));
  std::filesystem::resize_file(work / "a.txt", 35);
  std::ofstream big(work / "big.txt");
  const std::string block = std::string(1'023, 'x') + "\n";
  for (int i = 0; i < 33 * 1'024; ++i) big << block;
  big.close();
  EXPECT_EQ(fails("Read", {{"path", "big.txt"}}),
            "Read: 'big.txt' is too big to read whole: 33.0 MiB, the limit is 32.0 MiB; give offset and limit");
  const auto text = ok("Read", {{"path", "big.txt"}, {"offset", 33'000}, {"limit", 1}});
  EXPECT_TRUE(text.starts_with(" 33000\txxx")) << text.substr(0, 20);
  EXPECT_TRUE(text.ends_with("go on with offset 33001]")) << text.substr(text.size() - 80);
}

TEST_F(ReadToolTest, NeverHangsOnAFifo) {
  ASSERT_EQ(mkfifo((work / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(fails("Read", {{"path", "fifo"}}), "Read: 'fifo' is a fifo, not a regular file");
}

TEST_F(ReadToolTest, StaysInside) {
  std::ofstream(outside / "secret.txt") << "secret";
  link("out", "../outside/secret.txt");
  for (const auto& path :
       {std::string("../outside/secret.txt"), (outside / "secret.txt").string(), std::string("out"), std::string("/etc/passwd")})
    EXPECT_EQ(fails("Read", {{"path", path}}).find("secret\n"), std::string::npos) << path;
  EXPECT_EQ(fails("Read", {{"path", "."}}), "Read: '.' is a directory; Glob lists its files");
}

TEST_F(ReadToolTest, LeavesNoDescriptorsBehind) {
  put("a.txt", "x\n");
  const auto open_files = [] {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
    return n;
  };
  ok("Read", {{"path", "a.txt"}});
  const auto before = open_files();
  for (int i = 0; i < 20; ++i) {
    ok("Read", {{"path", "a.txt"}});
    fails("Read", {{"path", "../x"}});
    ok("Write", {{"path", "n/e/w.txt"}, {"content", "x"}});
    ok("Grep", {{"pattern", "x"}});
    ok("Glob", {{"pattern", "**/*"}});
  }
  EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace tool
