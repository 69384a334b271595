#include "base/limits.h"
#include "base/text.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

class GrepToolTest : public ToolTest {
 protected:
  std::string grep(boost::json::object arguments) { return ok("Grep", arguments); }
  std::string content(const std::string& pattern, boost::json::object more = {}) {
    more["pattern"] = pattern;
    more["output_mode"] = "content";
    return ok("Grep", more);
  }
};

TEST_F(GrepToolTest, ListsFilesByDefault) {
  put("b.txt", "needle\nneedle\n");
  put("a/c.txt", "a needle here\n");
  put("none.txt", "nothing\n");
  EXPECT_EQ(grep({{"pattern", "need.e"}}), "a/c.txt\nb.txt\n");
  EXPECT_EQ(grep({{"pattern", "absent"}}), "No matches for 'absent'.\n");
}

TEST_F(GrepToolTest, ShowsMatchingLines) {
  put("a.txt", "one\ntwo needle\nthree\r\nneedle four\n");
  EXPECT_EQ(content("needle"), "a.txt:2:two needle\na.txt:4:needle four\n");
  EXPECT_EQ(content("needle", {{"line_numbers", false}}), "a.txt:two needle\na.txt:needle four\n");
  EXPECT_EQ(content("^three$"), "a.txt:3:three\n");
}

TEST_F(GrepToolTest, CountsPerFile) {
  put("a.txt", "x\nx x\ny\n");
  put("b.txt", "x\n");
  EXPECT_EQ(grep({{"pattern", "x"}, {"output_mode", "count"}}), "a.txt:2\nb.txt:1\n");
}

TEST_F(GrepToolTest, IgnoresCaseWhenAsked) {
  put("a.txt", "Needle\n");
  EXPECT_EQ(grep({{"pattern", "needle"}}), "No matches for 'needle'.\n");
  EXPECT_EQ(grep({{"pattern", "needle"}, {"case_insensitive", true}}), "a.txt\n");
  EXPECT_EQ(grep({{"pattern", "needle"}, {"-i", "true"}}), "a.txt\n");
}

TEST_F(GrepToolTest, ShowsContext) {
  put("a.txt", "1\n2\n3 x\n4\n5\n6\n7\n8 x\n9 x\n10\n");
  EXPECT_EQ(content("x", {{"-C", 1}}),
            "a.txt-2-2\na.txt:3:3 x\na.txt-4-4\n--\na.txt-7-7\na.txt:8:8 x\na.txt:9:9 x\na.txt-10-10\n");
  EXPECT_EQ(content("3 x", {{"-B", 2}}), "a.txt-1-1\na.txt-2-2\na.txt:3:3 x\n");
  EXPECT_EQ(content("3 x", {{"-A", 1}}), "a.txt:3:3 x\na.txt-4-4\n");
  EXPECT_EQ(fails("Grep", {{"pattern", "x"}, {"context", 51}}), "Grep: 'context' must be at most 50");
}

TEST_F(GrepToolTest, FiltersByGlobAndPath) {
  put("a.py", "x\n");
  put("src/b.py", "x\n");
  put("src/c.cc", "x\n");
  EXPECT_EQ(grep({{"pattern", "x"}, {"glob", "*.py"}}), "a.py\nsrc/b.py\n");
  EXPECT_EQ(grep({{"pattern", "x"}, {"include", "*.{cc,h}"}}), "src/c.cc\n");
  EXPECT_EQ(grep({{"pattern", "x"}, {"path", "src"}}), "src/b.py\nsrc/c.cc\n");
  EXPECT_EQ(grep({{"pattern", "x"}, {"path", "src/c.cc"}}), "src/c.cc\n");
  EXPECT_EQ(grep({{"pattern", "x"}, {"path", (work / "src").string()}, {"glob", "b*"}}), "src/b.py\n");
  EXPECT_EQ(fails("Grep", {{"pattern", "x"}, {"path", "gone"}}), "Grep: 'gone' does not exist");
}

TEST_F(GrepToolTest, ExplainsPatternsThatRe2DoesNotKnow) {
  const auto text = fails("Grep", {{"pattern", "(a"}});
  EXPECT_NE(text.find("missing ): (a"), std::string::npos) << text;
  EXPECT_NE(fails("Grep", {{"pattern", "(?=a)"}}).find("no look-around"), std::string::npos);
  EXPECT_NE(fails("Grep", {{"pattern", "((x{1000}){1000}){1000}"}}).find("Grep: the pattern"), std::string::npos);
  EXPECT_NE(fails("Grep", {{"pattern", std::string(20'000, 'x')}}).find("too long"), std::string::npos);
}

TEST_F(GrepToolTest, EvilPatternsStayLinear) {
  put("a.txt", std::string(100'000, 'a') + "\n");
  EXPECT_EQ(grep({{"pattern", "^(a+)+$b"}}), "No matches for '^(a+)+$b'.\n");
}

TEST_F(GrepToolTest, SkipsBinaryHugeAndSpecialFilesAndSaysSo) {
  put("a.txt", "needle\n");
  put("b.bin", std::string("needle\0", 7));
  put("huge.txt", "needle\n");
  std::filesystem::resize_file(work / "huge.txt", base::limits::kFileBytesMax + 1);
  ASSERT_EQ(mkfifo((work / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(grep({{"pattern", "needle"}}), "a.txt\n[skipped: 1 binary file, 1 file over 32.0 MiB]\n");
  EXPECT_EQ(fails("Grep", {{"pattern", "x"}, {"path", "b.bin"}}), "Grep: 'b.bin' is a binary file of 7 bytes");
  EXPECT_EQ(fails("Grep", {{"pattern", "x"}, {"path", "fifo"}}), "Grep: 'fifo' is a fifo, not a regular file");
}

TEST_F(GrepToolTest, CountsWhatItDoesNotShow) {
  std::string many;
  for (int i = 0; i < 1'200; ++i) many += "needle " + std::to_string(i) + "\n";
  put("a.txt", many);
  put("b.txt", "needle\n");
  EXPECT_TRUE(content("needle").ends_with("a.txt:1000:needle 999\n[1000 of 1201 matching lines shown; narrow the search]\n"));
  EXPECT_EQ(content("needle", {{"head_limit", 2}}),
            "a.txt:1:needle 0\na.txt:2:needle 1\n[2 of 1201 matching lines shown; narrow the search]\n");
  EXPECT_EQ(grep({{"pattern", "needle"}, {"head_limit", 1}}), "a.txt\n[1 of 2 files shown; narrow the search]\n");
}

TEST_F(GrepToolTest, StaysWithinTheResultBound) {
  std::string many;
  for (int i = 0; i < 900; ++i) many += std::string(450, 'x') + "\n";
  put("a.txt", many);
  const auto text = content("x");
  EXPECT_LE(text.size(), base::limits::kToolResultBytesMax);
  EXPECT_EQ(text.find("bytes cut"), std::string::npos);
  EXPECT_NE(text.find(" of 900 matching lines shown"), std::string::npos);
}

TEST_F(GrepToolTest, CutsLongLinesAroundTheMatch) {
  put("min.js", std::string(50'000, 'x') + "needle" + std::string(50'000, 'y') + "\n");
  const auto text = content("needle");
  EXPECT_NE(text.find("xxneedleyy"), std::string::npos);
  EXPECT_NE(text.find("[line cut, 100006 bytes]"), std::string::npos);
  EXPECT_LT(text.size(), 1'000u);
}

TEST_F(GrepToolTest, ReadsWhatIsNotUtf8) {
  put("a.txt", "caf\xe9 needle\n");
  const auto text = content("needle");
  EXPECT_EQ(text, "a.txt:1:caf\xEF\xBF\xBD needle\n");
}

TEST_F(GrepToolTest, StaysInside) {
  std::ofstream(outside / "secret.txt") << "needle";
  link("out", "../outside");
  link("out.txt", "../outside/secret.txt");
  EXPECT_EQ(grep({{"pattern", "needle"}}), "No matches for 'needle'.\n");
  for (const auto& path : {std::string("out"), std::string("out.txt"), std::string(".."), outside.string()})
    EXPECT_NE(fails("Grep", {{"pattern", "needle"}, {"path", path}}).find("leads outside"), std::string::npos) << path;
}

}  // namespace
}  // namespace tool
