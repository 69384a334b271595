#include "tool/file_space.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tool/tool_fixture.h"

namespace tool {
namespace {

using testing::HasSubstr;

// flow/a is the work directory, flow/b its sibling, project another root; outside is none.
class FileSpaceTest : public ToolTest {
 protected:
  FileSpaceTest() : flow(temporary.path() / "flow"), project(temporary.path() / "project") {
    work = flow / "a";
    for (const auto& directory : {work, flow / "b", project / "src"}) std::filesystem::create_directories(directory);
    std::ofstream(outside / "secret.txt") << "secret";
    put("own.txt", "own needle\n");
    put("../b/result.md", "result needle\n");
    put("../../project/src/main.cc", "main needle\n");
    touch("own.txt", 1'000);
    touch("../b/result.md", 2'000);
    touch("../../project/src/main.cc", 3'000);
    roots = {flow.string(), project.string()};
  }

  std::string read(const std::string& path) { return ok("Read", {{"file_path", path}}); }
  std::string refused(const std::string& path) { return fails("Read", {{"file_path", path}}); }
  std::string glob(const std::string& pattern, const std::string& path = ".") {
    return ok("Glob", {{"pattern", pattern}, {"path", path}});
  }
  std::string grep(const std::string& path) {
    return ok("Grep", {{"pattern", "needle"}, {"path", path}, {"output_mode", "content"}});
  }

  std::filesystem::path flow, project;
};

TEST_F(FileSpaceTest, ReachesItsSiblingsAndTheOtherRoots) {
  EXPECT_EQ(read("own.txt"), "     1\town needle\n");
  for (const auto* path : {"../b/result.md", "../b//./result.md", "../a/../b/result.md", "gone/../../b/result.md"})
    EXPECT_THAT(read(path), HasSubstr("result")) << path;
  EXPECT_THAT(read("../../project/src/main.cc"), HasSubstr("main"));
  EXPECT_THAT(read((project / "src/main.cc").string()), HasSubstr("main"));
  EXPECT_THAT(read((flow / "a/../b/result.md").string()), HasSubstr("result"));
  EXPECT_THAT(read("../a/own.txt"), HasSubstr("own"));
}

TEST_F(FileSpaceTest, WithoutRootsNothingOfThemIsThere) {
  roots.clear();
  EXPECT_EQ(refused("../b/result.md"), "Read: '../b/result.md' leads outside the work directory");
  EXPECT_EQ(refused("../a/own.txt"), "Read: '../a/own.txt' leads outside the work directory");
  EXPECT_THAT(refused((project / "src/main.cc").string()), HasSubstr("leads outside the work directory"));
  EXPECT_THAT(fails("Glob", {{"pattern", "../b/*"}}), HasSubstr("may not contain '..'"));
  EXPECT_EQ(glob((work / "*.txt").string()), "own.txt\n");
}

TEST_F(FileSpaceTest, NamesWhatItRefusesAndWhereItMayBe) {
  EXPECT_EQ(refused("../../outside/secret.txt"),
            "Read: '../../outside/secret.txt' leads outside the work directory and the directories beside it: " + flow.string() +
                ", " + project.string());
  for (const auto* path :
       {"../x/../../etc/passwd", "../x/../../outside/secret.txt", "/etc/passwd", "../..", "/", "..//../../../etc/passwd",
        "../../../../../../../../../../../../etc/passwd", "../../projects/x", "../../flow/../outside/secret.txt"})
    EXPECT_THAT(refused(path), HasSubstr("leads outside")) << path;
  EXPECT_THAT(refused(project.string() + "/../outside/secret.txt"), HasSubstr("leads outside"));
  EXPECT_THAT(refused(project.string() + "x/secret.txt"), HasSubstr("leads outside"));
  EXPECT_EQ(refused("../b/none.md"), "Read: '../b/none.md' does not exist");
  EXPECT_EQ(refused("../b"), "Read: '../b' is a directory; Glob lists its files");
  EXPECT_EQ(refused(project.string()), "Read: '" + project.string() + "' is a directory; Glob lists its files");
  EXPECT_THAT(refused(std::string("../b/\0x", 7)), HasSubstr("NUL"));
  EXPECT_TRUE(call("Read", {{"file_path", std::string(5'000, 'x')}}).is_error);
}

TEST_F(FileSpaceTest, LinksOutOfTheDirectoryThatTheyAreInAreRefused) {
  link("../b/secret", "../../outside/secret.txt");
  link("../b/absolute", (project / "src/main.cc").string());
  link("../../project/far", "../flow/b/result.md");
  link("near", "../b/result.md");
  link("../b/up", "..");
  link("../../project/near", "src/main.cc");
  EXPECT_EQ(refused("../b/secret"), "Read: '../b/secret' leads outside the root '" + flow.string() + "'");
  EXPECT_EQ(refused("near"), "Read: 'near' leads outside the work directory") << "though what it leads to is in a root";
  for (const auto* path : {"../b/absolute", "../../project/far", "../b/up/../../outside/secret.txt"}) refused(path);
  EXPECT_THAT(read("../../project/near"), HasSubstr("main"));
  EXPECT_THAT(read("../b/up/b/result.md"), HasSubstr("result"));
  for (const auto* path : {"../b/secret", "../b/absolute", "near"}) fails("Write", {{"file_path", path}, {"content", "x"}});
  EXPECT_EQ(get("../../outside/secret.txt"), "secret");
  EXPECT_EQ(get("../b/result.md"), "result needle\n");
}

TEST_F(FileSpaceTest, WritesAndEditsInRoots) {
  EXPECT_EQ(ok("Write", {{"file_path", "../b/new/x.txt"}, {"content", "one\n"}}),
            "Created '../b/new/x.txt': 4 bytes, 1 line; made 1 directory.");
  EXPECT_EQ(ok("Edit", {{"file_path", (flow / "b/new/x.txt").string()}, {"old_string", "one"}, {"new_string", "two"}}),
            "Edited '" + (flow / "b/new/x.txt").string() + "': 1 replacement (line 1).");
  EXPECT_EQ(get("../b/new/x.txt"), "two\n");
  link("../../project/near", "src/main.cc");
  EXPECT_THAT(ok("Write", {{"file_path", "../../project/near"}, {"content", ""}}),
              HasSubstr("Replaced '../../project/src/main.cc'"));
  fails("Write", {{"file_path", "../b/x/"}, {"content", ""}});
  fails("Write", {{"file_path", ".."}, {"content", ""}});
  fails("Write", {{"file_path", "../../x.txt"}, {"content", ""}});
  fails("Edit", {{"file_path", "../../outside/secret.txt"}, {"old_string", "secret"}, {"new_string", "x"}});
  EXPECT_EQ(get("../../outside/secret.txt"), "secret");
}

TEST_F(FileSpaceTest, GlobShowsPathsThatCanBeUsedAgain) {
  EXPECT_EQ(glob("*"), "own.txt\n");
  EXPECT_EQ(glob("../b/*.md"), "../b/result.md\n");
  EXPECT_EQ(glob("*.md", "../b"), "../b/result.md\n");
  EXPECT_THAT(fails("Glob", {{"pattern", "../b/*"}, {"path", "../../project"}}), HasSubstr("leads outside"));
  EXPECT_EQ(glob("../flow/gone/*", "../../project"), "No files match '../flow/gone/*'.\n");
  EXPECT_EQ(glob("../flow/b/*", "../../project"), "../b/result.md\n");
  EXPECT_EQ(glob("**/*.{md,txt}", ".."), "../b/result.md\n../a/own.txt\n");
  touch("../b", 2'000);
  touch("../a", 1'000);
  EXPECT_EQ(glob("../*/"), "../b/\n../a/\n");
  EXPECT_EQ(glob("../../project/**"), "../../project/src/main.cc\n");
  const auto main = (project / "src/main.cc").string();
  EXPECT_EQ(glob((project / "**/*.cc").string()), main + "\n");
  EXPECT_EQ(glob("src/*", project.string() + "/"), main + "\n");
  EXPECT_EQ(glob((project / "gone/*").string()), "No files match '" + (project / "gone/*").string() + "'.\n");
  EXPECT_THAT(fails("Glob", {{"pattern", "*"}, {"path", "../gone"}}), HasSubstr("'../gone' does not exist"));
  for (const auto* pattern :
       {"../../*", "/etc/*", "*/../../outside/*", "../../outside/*", "{..,b}/../*", "/*", "../..", "../../"})
    fails("Glob", {{"pattern", pattern}});
  link("../b/out", "../../outside");
  EXPECT_EQ(glob("../b/**"), "../b/result.md\n");
  EXPECT_THAT(fails("Glob", {{"pattern", "../b/out/*"}}), HasSubstr("leads outside"));
}

TEST_F(FileSpaceTest, GrepShowsPathsThatCanBeUsedAgain) {
  EXPECT_EQ(grep("."), "own.txt:1:own needle\n");
  EXPECT_EQ(grep("../b"), "../b/result.md:1:result needle\n");
  EXPECT_EQ(grep("../b/result.md"), "../b/result.md:1:result needle\n");
  EXPECT_EQ(grep(".."), "../a/own.txt:1:own needle\n../b/result.md:1:result needle\n");
  EXPECT_EQ(grep(project.string()), (project / "src/main.cc").string() + ":1:main needle\n");
  fails("Grep", {{"pattern", "needle"}, {"path", "../.."}});
}

TEST_F(FileSpaceTest, ARootThatIsGoneIsToldToWhoeverAsksForIt) {
  const auto gone = (temporary.path() / "gone").string();
  roots = {gone, flow.string()};
  EXPECT_THAT(read("own.txt"), HasSubstr("own"));
  EXPECT_THAT(read("../b/result.md"), HasSubstr("result"));
  const auto why = "Read: the root '" + gone + "' cannot be opened: '" + gone + "' does not exist";
  EXPECT_EQ(refused(gone + "/x"), why);
  EXPECT_EQ(refused("../../gone/x"), why);
  EXPECT_THAT(fails("Glob", {{"pattern", gone + "/*"}}), HasSubstr("cannot be opened"));
  roots = {"relative"};
  EXPECT_EQ(refused("own.txt"), "Read: the root 'relative' must be an absolute path");
}

TEST_F(FileSpaceTest, TheInnermostDirectoryIsMeant) {
  // A root in a root, which is a link: what is in it is reached although the outer root refuses to follow it.
  std::filesystem::create_directory_symlink(outside, project / "linked");
  EXPECT_THAT(refused("../../project/linked/secret.txt"), HasSubstr("leads outside the root"));
  roots = {(project / "linked").string() + "//", project.string() + "/."};
  EXPECT_THAT(read((project / "linked/secret.txt").string()), HasSubstr("secret"));
  EXPECT_THAT(read((outside / "secret.txt").string()), HasSubstr("secret")) << "by its other name";
  EXPECT_THAT(read("../../project/src/main.cc"), HasSubstr("main"));
  refused("../b/result.md");
  const auto space = FileSpace::open(work.string(), roots).value();
  EXPECT_EQ(space.find((project / "linked/secret.txt").string())->path, "secret.txt");
  EXPECT_EQ(space.find((project / "linked/").string())->path, ".");
  EXPECT_EQ(space.find((project / "linkedx").string())->path, "linkedx");
  // The work directory is a directory like the others, and may be a root as well.
  const auto twice = FileSpace::open(work.string(), {flow.string(), work.string()}).value();
  EXPECT_EQ(twice.find("../a/own.txt")->directory.path(), work.string());
  EXPECT_EQ(twice.find("../a/own.txt")->name(), "own.txt");
}

TEST_F(FileSpaceTest, TheWholeMachineIsARootOnlyWhereItIsGiven) {
  const auto secret = (outside / "secret.txt").string();
  refused(secret);
  roots = {"/"};
  EXPECT_THAT(read(secret), HasSubstr("secret"));
  EXPECT_THAT(read("../../outside/secret.txt"), HasSubstr("secret"));
  EXPECT_EQ(glob((outside / "*").string()), secret + "\n");
  auto found = glob("../../outside/*");
  EXPECT_TRUE(found.starts_with("../") && found.ends_with("/outside/secret.txt\n")) << found;
  found.pop_back();
  EXPECT_THAT(read(found), HasSubstr("secret")) << "by way of the root";
  EXPECT_EQ(refused("/no/such/file"), "Read: '/no/such/file' does not exist");
  EXPECT_EQ(refused("/"), "Read: '/' is a directory; Glob lists its files");
  refused("/proc/self/root/etc/passwd");
}

TEST_F(FileSpaceTest, AWorkDirectoryBehindALinkHasBothItsNeighbourhoods) {
  std::filesystem::create_directories(temporary.path() / "elsewhere/c");
  std::ofstream(temporary.path() / "elsewhere/c/x.txt") << "x";
  work = temporary.path() / "elsewhere/a";
  std::filesystem::create_directory_symlink(flow / "a", work);
  roots.push_back((temporary.path() / "elsewhere").string());
  EXPECT_THAT(read("own.txt"), HasSubstr("own"));
  EXPECT_THAT(read((flow / "a/own.txt").string()), HasSubstr("own"));
  EXPECT_THAT(read("../c/x.txt"), HasSubstr("x"));
  roots = {flow.string()};
  EXPECT_THAT(read("../b/result.md"), HasSubstr("result")) << "found by the real name";
  refused("../../outside/secret.txt");
}

TEST_F(FileSpaceTest, AllowedPathsHoldForRootsToo) {
  settings.file_paths = {"../b", project.string() + "/src"};
  EXPECT_THAT(read("../b/result.md"), HasSubstr("result"));
  EXPECT_THAT(read((project / "src/main.cc").string()), HasSubstr("main"));
  EXPECT_THAT(refused("own.txt"), HasSubstr("paths that are allowed here"));
  put("../../project/other.txt", "x");
  EXPECT_THAT(refused("../../project/other.txt"),
              HasSubstr("'../../project/other.txt' is not inside the paths that are allowed"));
  fails("Write", {{"file_path", "../c/x"}, {"content", "x"}});
  fails("Glob", {{"pattern", "../*"}});
  settings.file_paths = {"."};
  EXPECT_THAT(read("../a/own.txt"), HasSubstr("own"));
  refused("../b/result.md");
  refused((project / "src/main.cc").string());
  settings.file_paths = {temporary.path().string()};
  EXPECT_THAT(read("../../project/other.txt"), HasSubstr("x")) << "all of the root lies in it";
}

// A sibling that is swapped for a link to the outside again and again: whatever the timing, nothing outside is read or written.
TEST_F(FileSpaceTest, SwappingASiblingForALinkWinsNothing) {
  put("../b/secret.txt", "mine");
  std::filesystem::create_directory_symlink(outside, flow / "evil");
  std::atomic<bool> done = false;
  std::thread attacker([&] {
    while (!done) renameat2(AT_FDCWD, (flow / "b").c_str(), AT_FDCWD, (flow / "evil").c_str(), RENAME_EXCHANGE);
  });
  int opened = 0;
  for (int i = 0; i < 300; ++i) {
    const auto text = call("Read", {{"file_path", "../b/secret.txt"}}).text;
    EXPECT_THAT(text, testing::Not(HasSubstr("\tsecret")));
    opened += text.ends_with("\tmine\n");
    call("Write", {{"file_path", "../b/sub" + std::to_string(i % 7) + "/x"}, {"content", "x"}});
    EXPECT_THAT(call("Glob", {{"pattern", "../b/*"}, {"path", "."}}).text, testing::Not(HasSubstr("outside/")));
  }
  done = true;
  attacker.join();
  EXPECT_GT(opened, 0);
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(outside)) ++entries;
  EXPECT_EQ(entries, 1u);  // the secret alone
}

}  // namespace
}  // namespace tool
