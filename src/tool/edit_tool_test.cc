#include <boost/asio/thread_pool.hpp>
#include <thread>

#include "base/limits.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

using EditToolTest = ToolTest;

TEST_F(EditToolTest, ReplacesTheOneOccurrence) {
  put("a.txt", "one\ntwo\nthree\n");
  EXPECT_EQ(ok("Edit", {{"file_path", "a.txt"}, {"old_string", "two"}, {"new_string", "2"}}),
            "Edited 'a.txt': 1 replacement (line 2).");
  EXPECT_EQ(get("a.txt"), "one\n2\nthree\n");
}

TEST_F(EditToolTest, RefusesWhatOccursMoreThanOnce) {
  put("a.txt", "x\ny\nx\nx x\n");
  EXPECT_EQ(fails("Edit", {{"path", "a.txt"}, {"old_string", "x"}, {"new_string", "z"}}),
            "Edit: old_string occurs 4 times in 'a.txt' (lines 1, 3, 4, 4); give more of its surroundings, or replace_all");
  EXPECT_EQ(get("a.txt"), "x\ny\nx\nx x\n");
}

TEST_F(EditToolTest, ReplacesAllWhenAsked) {
  put("a.txt", "x\ny\nx\n");
  EXPECT_EQ(ok("Edit", {{"path", "a.txt"}, {"old_str", "x"}, {"new_str", "xx"}, {"replace_all", "true"}}),
            "Edited 'a.txt': 2 replacements (lines 1, 3).");
  EXPECT_EQ(get("a.txt"), "xx\ny\nxx\n");
}

TEST_F(EditToolTest, CountsOccurrencesWithoutOverlap) {
  put("a.txt", "aaaa");
  EXPECT_NE(fails("Edit", {{"path", "a.txt"}, {"old_string", "aa"}, {"new_string", "b"}}).find("occurs 2 times"),
            std::string::npos);
  put("b.txt", "aaa");
  EXPECT_EQ(ok("Edit", {{"path", "b.txt"}, {"old_string", "aa"}, {"new_string", ""}}), "Edited 'b.txt': 1 replacement (line 1).");
  EXPECT_EQ(get("b.txt"), "a");
}

TEST_F(EditToolTest, SaysThatNothingMatches) {
  put("a.txt", "one\n");
  EXPECT_EQ(fails("Edit", {{"path", "a.txt"}, {"old_string", "two"}, {"new_string", "2"}}),
            "Edit: old_string does not occur in 'a.txt'; it must match exactly, with every space and line end and without line "
            "numbers");
  EXPECT_EQ(fails("Edit", {{"path", "a.txt"}, {"old_string", "one"}, {"new_string", "one"}}),
            "Edit: old_string and new_string are the same: nothing to do");
  EXPECT_EQ(fails("Edit", {{"path", "a.txt"}, {"old_string", ""}, {"new_string", "x"}}), "Edit: 'old_string' must not be empty");
  EXPECT_EQ(fails("Edit", {{"path", "b.txt"}, {"old_string", "a"}, {"new_string", "x"}}),
            "Edit: 'b.txt' does not exist; Write creates files");
  EXPECT_EQ(fails("Edit", {{"path", "c/b.txt"}, {"old_string", "a"}, {"new_string", "x"}}), "Edit: 'c' does not exist");
}

TEST_F(EditToolTest, KeepsCrlf) {
  put("a.txt", "one\r\ntwo\r\nthree\r\n");
  EXPECT_EQ(ok("Edit", {{"path", "a.txt"}, {"old_string", "one\ntwo\n"}, {"new_string", "1\n2\n"}}),
            "Edited 'a.txt': 1 replacement (line 1), line ends kept as CRLF.");
  EXPECT_EQ(get("a.txt"), "1\r\n2\r\nthree\r\n");
  // A file with both kinds is left to the model.
  put("b.txt", "one\r\ntwo\nthree\r\n");
  fails("Edit", {{"path", "b.txt"}, {"old_string", "one\ntwo"}, {"new_string", "x"}});
}

TEST_F(EditToolTest, KeepsTheModeAndUnknownBytes) {
  put("a.txt", "caf\xe9 one");
  ASSERT_EQ(chmod((work / "a.txt").c_str(), 0640), 0);
  ok("Edit", {{"path", "a.txt"}, {"old_string", "one"}, {"new_string", "two"}});
  EXPECT_EQ(get("a.txt"), "caf\xe9 two");
  struct stat status{};
  ASSERT_EQ(stat((work / "a.txt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(EditToolTest, RefusesBinaryAndResultsThatAreTooBig) {
  put("a.bin", std::string("a\0b", 3));
  EXPECT_EQ(fails("Edit", {{"path", "a.bin"}, {"old_string", "a"}, {"new_string", "b"}}),
            "Edit: 'a.bin' is a binary file of 3 bytes");
  put("a.txt", std::string(100'000, 'x'));
  const auto text =
      fails("Edit", {{"path", "a.txt"}, {"old_string", "x"}, {"new_string", std::string(1'000, 'y')}, {"replace_all", true}});
  EXPECT_EQ(text, "Edit: the result would be too big: 95.4 MiB, the limit is 32.0 MiB");
  put("b.txt", std::string(1'000'100, 'x'));
  EXPECT_NE(fails("Edit", {{"path", "b.txt"}, {"old_string", "x"}, {"new_string", "y"}, {"replace_all", true}})
                .find("more than 1000000 times"),
            std::string::npos);
}

TEST_F(EditToolTest, StaysInside) {
  std::ofstream(outside / "a.txt") << "theirs";
  link("out", "../outside/a.txt");
  fails("Edit", {{"path", "out"}, {"old_string", "theirs"}, {"new_string", "mine"}});
  fails("Edit", {{"path", "../outside/a.txt"}, {"old_string", "theirs"}, {"new_string", "mine"}});
  std::ifstream stream(outside / "a.txt");
  std::string content;
  stream >> content;
  EXPECT_EQ(content, "theirs");
}

// Edits at the same time on one file must all arrive.
TEST_F(EditToolTest, ParallelEditsLoseNothing) {
  std::string content;
  for (int i = 0; i < 40; ++i) content += "<" + std::to_string(i) + ">\n";
  put("a.txt", content);
  boost::asio::io_context io(1);
  int failures = 0;
  for (int i = 0; i < 40; ++i) {
    boost::json::object arguments{
        {"path", "a.txt"}, {"old_string", "<" + std::to_string(i) + ">"}, {"new_string", "[" + std::to_string(i) + "]"}};
    boost::asio::co_spawn(
        io, toolbox.call("Edit", boost::json::serialize(arguments), {"run", "call", work.string()}),
        [&](std::exception_ptr error, const Outcome& outcome) { failures += error != nullptr || outcome.is_error; });
  }
  io.run();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(get("a.txt").find('<'), std::string::npos);
}

}  // namespace
}  // namespace tool
