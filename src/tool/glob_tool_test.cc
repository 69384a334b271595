#include <gmock/gmock.h>

#include "base/limits.h"
#include "tool/glob_pattern.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

struct Sample {
  std::string pattern;
  std::vector<std::string> matches;
  std::vector<std::string> others;
};

TEST(GlobPatternTest, MatchesAsAShellDoes) {
  const std::vector<Sample> samples = {
      {"*.cc", {"a.cc", ".cc", "ü.cc"}, {"a.h", "d/a.cc", "a.ccx"}},
      {"**/*.cc", {"a.cc", "d/a.cc", "d/e/a.cc"}, {"a.h"}},
      {"src/**", {"src/a", "src/d/e"}, {"srcs/a", "src"}},
      {"src/**/b.h", {"src/b.h", "src/x/b.h", "src/x/y/b.h"}, {"src/xb.h", "b.h"}},
      {"*.{h,cc}", {"a.h", "a.cc"}, {"a.c", "a.hcc"}},
      {"{src,test/{a,b}}/*.x", {"src/1.x", "test/a/1.x", "test/b/2.x"}, {"test/1.x"}},
      {"a?c", {"abc", "a€c"}, {"ac", "a/c", "abbc"}},
      {"[a-c]x[!0-9]", {"axy", "bx-"}, {"dxy", "ax1", "ax/"}},
      {"[]a]", {"]", "a"}, {"b"}},
      {"a\\*b", {"a*b"}, {"axb"}},
      {"a.b+c(d)|^$", {"a.b+c(d)|^$"}, {"aXb+c(d)|^$"}},
      {"a,b}", {"a,b}"}, {"a", "b"}},
      {"{a,}b", {"ab", "b"}, {"a"}},
      {"**", {"a", "a/b/c"}, {}},
      {"./x", {"x"}, {"./x"}},
      {"a**b", {"ab", "axxb"}, {}},
  };
  for (const auto& sample : samples) {
    const auto glob = GlobPattern::compile(sample.pattern, Anchor::path);
    ASSERT_TRUE(glob) << sample.pattern << ": " << glob.error().message;
    for (const auto& path : sample.matches) EXPECT_TRUE(glob->matches(path)) << sample.pattern << " " << path;
    for (const auto& path : sample.others) EXPECT_FALSE(glob->matches(path)) << sample.pattern << " " << path;
  }
}

TEST(GlobPatternTest, MatchesBasenamesAnywhere) {
  const auto glob = GlobPattern::compile("*.py", Anchor::basename).value();
  EXPECT_TRUE(glob.matches("a.py"));
  EXPECT_TRUE(glob.matches("d/e/a.py"));
  const auto anchored = GlobPattern::compile("d/*.py", Anchor::basename).value();
  EXPECT_TRUE(anchored.matches("d/a.py"));
  EXPECT_FALSE(anchored.matches("x/d/a.py"));
}

TEST(GlobPatternTest, KnowsWhereToLook) {
  EXPECT_EQ(GlobPattern::compile("src/net/**/*.h", Anchor::path)->literal_directory(), "src/net");
  EXPECT_EQ(GlobPattern::compile("*.h", Anchor::path)->literal_directory(), "");
  EXPECT_EQ(GlobPattern::compile("src/x{a,b}/c", Anchor::path)->literal_directory(), "src");
  EXPECT_EQ(GlobPattern::compile("a/b/*", Anchor::path)->components_max(), 3u);
  EXPECT_EQ(GlobPattern::compile("a/**", Anchor::path)->components_max(), std::nullopt);
  EXPECT_TRUE(GlobPattern::compile("a/*/", Anchor::path)->directories());
}

TEST(GlobPatternTest, RefusesWhatIsNoPattern) {
  for (const auto& pattern : {std::string(), std::string("[a"), std::string("{a"), std::string("a\\"), std::string("[z-a]"),
                              std::string(5'000, '*'), std::string(20, '{') + std::string(20, '}')})
    EXPECT_FALSE(GlobPattern::compile(pattern, Anchor::path)) << pattern.substr(0, 30);
}

TEST(GlobPatternTest, StaysLinear) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  const auto glob = GlobPattern::compile(pattern + "b", Anchor::path);
  ASSERT_TRUE(glob);
  EXPECT_FALSE(glob->matches(std::string(10'000, 'a')));
}

class GlobToolTest : public ToolTest {
 protected:
  std::string glob(const std::string& pattern) { return ok("Glob", {{"pattern", pattern}}); }
};

TEST_F(GlobToolTest, ListsNewestFirst) {
  put("old.cc", "");
  put("src/new.cc", "");
  put("src/middle.cc", "");
  put("src/other.h", "");
  touch("old.cc", 1'000);
  touch("src/middle.cc", 2'000);
  touch("src/new.cc", 3'000);
  EXPECT_EQ(glob("**/*.cc"), "src/new.cc\nsrc/middle.cc\nold.cc\n");
  EXPECT_EQ(glob("*.cc"), "old.cc\n");
  EXPECT_EQ(glob("src/*.{h,x}"), "src/other.h\n");
  EXPECT_EQ(ok("Glob", {{"pattern", "*.cc"}, {"path", "src"}}), "src/new.cc\nsrc/middle.cc\n");
  EXPECT_EQ(glob((work / "src" / "*.h").string()), "src/other.h\n");
}

TEST_F(GlobToolTest, FilesOfOneTimeAreSortedByName) {
  for (const auto* name : {"c", "a", "b"}) {
    put(name, "");
    touch(name, 1'000);
  }
  EXPECT_EQ(glob("*"), "a\nb\nc\n");
}

TEST_F(GlobToolTest, ListsDirectoriesWhenAsked) {
  put("src/a", "");
  put("doc/b", "");
  touch("src", 2'000);
  touch("doc", 1'000);
  EXPECT_EQ(glob("*/"), "src/\ndoc/\n");
  EXPECT_EQ(glob("*"), "No files match '*'.\n");
}

TEST_F(GlobToolTest, SaysThatNothingMatches) {
  EXPECT_EQ(glob("*.none"), "No files match '*.none'.\n");
  EXPECT_EQ(glob("no/such/**"), "No files match 'no/such/**'.\n");
  EXPECT_EQ(fails("Glob", {{"pattern", "*"}, {"path", "gone"}}), "Glob: 'gone' does not exist");
  EXPECT_NE(fails("Glob", {{"pattern", "[a"}}).find("a '[' is not closed"), std::string::npos);
}

TEST_F(GlobToolTest, StaysInside) {
  std::ofstream(outside / "secret.txt") << "secret";
  put("in/a.txt", "");
  link("out", "../outside");
  link("out.txt", "../outside/secret.txt");
  link("alias.txt", "in/a.txt");
  link("in/loop", "..");
  const auto text = glob("**/*.txt");
  EXPECT_NE(text.find("in/a.txt\n"), std::string::npos);
  EXPECT_NE(text.find("alias.txt\n"), std::string::npos);
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  EXPECT_EQ(text.find("out"), std::string::npos) << text;
  EXPECT_EQ(text.find("loop"), std::string::npos) << text;
  EXPECT_NE(fails("Glob", {{"pattern", "../**"}}).find("may not contain '..'"), std::string::npos);
  EXPECT_NE(fails("Glob", {{"pattern", "/etc/*"}}).find("leads outside"), std::string::npos);
  EXPECT_NE(fails("Glob", {{"pattern", "*"}, {"path", "out"}}).find("leads outside"), std::string::npos);
  EXPECT_NE(fails("Glob", {{"pattern", "out/*"}}).find("leads outside"), std::string::npos);
}

TEST_F(GlobToolTest, SkipsVersionControlUnlessNamed) {
  put(".git/config", "");
  put(".github/ci.yml", "");
  put(".gitignore", "");
  touch(".github/ci.yml", 2'000);
  touch(".gitignore", 1'000);
  EXPECT_EQ(glob("**/*"), ".github/ci.yml\n.gitignore\n");
  EXPECT_EQ(glob("**/.gitignore"), ".gitignore\n");
  EXPECT_EQ(glob(".git/*"), ".git/config\n");
}

TEST_F(GlobToolTest, CountsWhatItDoesNotShow) {
  for (int i = 0; i < 1'005; ++i) put("many/f" + std::to_string(i), "");
  const auto text = glob("many/*");
  EXPECT_TRUE(text.ends_with("[1000 of 1005 matches shown, newest first; narrow the pattern]\n"))
      << text.substr(text.size() - 100);
  EXPECT_LE(text.size(), base::limits::kToolResultBytesMax);
}

TEST_F(ToolTest, AllowedPathsHoldForAllFileTools) {
  put("src/a.txt", "needle\n");
  put("secret/b.txt", "needle\n");
  link("src/link.txt", "../secret/b.txt");
  settings.file_paths = {"src"};
  EXPECT_EQ(ok("Glob", {{"pattern", "src/**"}}), "src/a.txt\n");
  EXPECT_EQ(ok("Glob", {{"pattern", "*.txt"}, {"path", "src"}}), "src/a.txt\n");
  EXPECT_THAT(ok("Grep", {{"pattern", "needle"}, {"path", "src"}}), testing::HasSubstr("src/a.txt"));
  EXPECT_THAT(ok("Read", {{"file_path", "src/a.txt"}}), testing::HasSubstr("needle"));
  ok("Write", {{"file_path", "src/new/c.txt"}, {"content", "x"}});
  ok("Edit", {{"file_path", "src/new/c.txt"}, {"old_string", "x"}, {"new_string", "y"}});
  EXPECT_THAT(fails("Glob", {{"pattern", "**/*.txt"}}), testing::HasSubstr("paths that are allowed here: src"));
  EXPECT_THAT(fails("Grep", {{"pattern", "needle"}}), testing::HasSubstr("allowed here: src"));
  fails("Grep", {{"pattern", "needle"}, {"path", "secret/b.txt"}});
  fails("Glob", {{"pattern", "secret/*"}});
  fails("Read", {{"file_path", "secret/b.txt"}});
  fails("Read", {{"file_path", "src/link.txt"}});
  fails("Read", {{"file_path", (work / "secret/b.txt").string()}});
  fails("Write", {{"file_path", "secret/b.txt"}, {"content", "x"}});
  fails("Write", {{"file_path", "src/link.txt"}, {"content", "x"}});
  fails("Edit", {{"file_path", "secret/b.txt"}, {"old_string", "needle"}, {"new_string", "x"}});
  EXPECT_EQ(get("secret/b.txt"), "needle\n");
}

}  // namespace
}  // namespace tool
