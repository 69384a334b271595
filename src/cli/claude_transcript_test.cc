#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/claude_messages.h"
#include "cli/claude_transcript.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

TEST(ClaudeTranscript, EverythingButLettersAndDigitsBecomesADash) {
  EXPECT_EQ(claude_project("/src/my app_v1.2"), "-src-my-app-v1-2");
  EXPECT_EQ(claude_project("/päth/汉字"), "-p-th---") << "one for each letter";
  EXPECT_EQ(claude_project("/😀"), "---") << "two for what takes two UTF-16 units";
  EXPECT_EQ(claude_project(std::string(200, 'a')), std::string(200, 'a'));
  EXPECT_EQ(claude_project(std::string(201, 'a')), "") << "those are shortened in a way that is not known";
}

class Lookup : public testing::Test {
 protected:
  Lookup() {
    char name[] = "/tmp/outlast-transcript-XXXXXX";
    root = mkdtemp(name);
  }
  ~Lookup() override { fs::remove_all(root); }
  std::string place(const std::string& project, int age_s) const {
    const auto path = root + "/projects/" + project + "/sid-1.jsonl";
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << "{}\n";
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::seconds(age_s));
    return path;
  }
  std::expected<std::string, std::string> find(const std::string& directory = "/w x",
                                               const std::string& session = "sid-1") const {
    return find_claude_transcript({.config_directory = root, .work_directory = directory, .session_id = session});
  }
  std::string root;
};

TEST_F(Lookup, TheSessionsOwnDirectoryComesFirst) {
  place("-elsewhere", 0);
  const auto direct = place("-w-x", 100);
  EXPECT_EQ(*find(), direct);
}

TEST_F(Lookup, ElseTheNewestCopyAnywhere) {
  place("-a", 50);
  const auto newest = place("-b", 10);
  place("-c", 30);
  fs::create_directories(root + "/projects/-d");
  EXPECT_EQ(*find(), newest);
  EXPECT_EQ(*find("/" + std::string(300, 'x')), newest) << "a long directory is only looked for so";
}

TEST_F(Lookup, BothPlacesAreNamedWhereNothingIs) {
  const auto none = find();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), "neither " + root + "/projects/-w-x/sid-1.jsonl nor " + root + "/projects/*/sid-1.jsonl is there");
  EXPECT_EQ(find("/" + std::string(300, 'x')).error(), root + "/projects/*/sid-1.jsonl is not there");
}

TEST_F(Lookup, AnIdThatIsAPathNamesNoSession) {
  std::ofstream(root + "/secret.jsonl") << "{}\n";
  fs::create_directories(root + "/projects/-w-x");
  for (const auto* session : {"../../secret", "", ".", "a/b"}) EXPECT_FALSE(find("/w x", session)) << session;
}

// "user:hello call(Bash):x result!:bad"
std::string said(std::string_view line) {
  std::string text;
  for (const auto& part : read_transcript_line(line)) {
    const char* kinds[] = {"user", "assistant", "thinking", "call", "result"};
    text += (text.empty() ? "" : " ") + std::string(kinds[static_cast<int>(part.kind)]) +
            (part.name.empty() ? "" : "(" + part.name + ")") + (part.is_error ? "!" : "") + ":" + part.text;
  }
  return text;
}

TEST(ClaudeMessages, ALineSaysWhatItsBlocksSay) {
  EXPECT_EQ(said(R"({"type":"user","message":{"content":"hello"}})"), "user:hello");
  EXPECT_EQ(said(R"({"type":"assistant","message":{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"yes"},
      {"type":"tool_use","name":"Bash","input":{"command":"a\nb","timeout":5}}]}})"),
            "thinking:hm assistant:yes call(Bash):command: a\nb\ntimeout: 5");
  EXPECT_EQ(said(R"({"type":"user","message":{"content":[{"type":"tool_result","content":"bad","is_error":true},
      {"type":"tool_result","content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]},{"type":"image"}]}})"),
            "result!:bad result:a\n[image]\nb user:[image]");
}

TEST(ClaudeMessages, WhatIsNoMessageSaysNothing) {
  for (const auto* line :
       {"", "   ", "no json", "[]", "7", R"({"type":"assistant","message":{"content":[{"type":"te)",
        R"({"type":"queue-operation","message":{"content":"x"}})", R"({"type":"user"})", R"({"type":"user","message":7})",
        R"({"type":"user","message":{"content":7}})", R"({"type":"user","message":{"content":[7,{"type":"odd"}]}})",
        R"({"type":"assistant","message":{"content":[{"type":"thinking","thinking":"","signature":"x"}]}})"})
    EXPECT_EQ(said(line), "") << line;
  EXPECT_EQ(said(R"({"type":"user","message":{"content":")" + std::string(kTranscriptLineBytesMax, 'x') + R"("}})"), "")
      << "too long";
  EXPECT_NE(said(R"({"type":"user","message":{"content":")" + std::string(2'000'000, 'x') + R"("}})"), "");
}

TEST(ClaudeMessages, HeadingsAreAsDocumented) {
  using Kind = TranscriptPart::Kind;
  EXPECT_EQ(part_text({.kind = Kind::user, .text = "a"}), "─── User ───\na\n\n");
  EXPECT_EQ(part_text({.kind = Kind::assistant, .text = "a\n"}), "─── Assistant ───\na\n\n");
  EXPECT_EQ(part_text({.kind = Kind::thinking, .text = "a"}), "─── Thinking ───\na\n\n");
  EXPECT_EQ(part_text({.kind = Kind::call, .text = "command: ls", .name = "Bash"}), "─── Tool: Bash ───\ncommand: ls\n\n");
  EXPECT_EQ(part_text({.kind = Kind::result, .text = "a"}), "─── Result ───\na\n\n");
  EXPECT_EQ(part_text({.kind = Kind::result, .text = "a", .is_error = true}), "─── Result (error) ───\na\n\n");
}

TEST(ClaudeMessages, ResultsAreCutAtCharacters) {
  using Kind = TranscriptPart::Kind;
  std::string long_text, shown;
  for (int i = 0; i < 501; ++i) long_text += "ü";
  for (int i = 0; i < 500; ++i) shown += "ü";
  EXPECT_EQ(part_text({.kind = Kind::result, .text = long_text}), "─── Result ───\n" + shown + "…\n\n");
  EXPECT_EQ(part_text({.kind = Kind::result, .text = shown}), "─── Result ───\n" + shown + "\n\n");
  EXPECT_EQ(part_text({.kind = Kind::assistant, .text = long_text}), "─── Assistant ───\n" + long_text + "\n\n");
}

TEST(ClaudeMessages, CompactLeavesResultsAndThinkingOut) {
  using Kind = TranscriptPart::Kind;
  for (const auto kind : {Kind::user, Kind::assistant, Kind::call}) EXPECT_TRUE(is_shown({.kind = kind}, Compact::yes));
  for (const auto kind : {Kind::thinking, Kind::result}) {
    EXPECT_FALSE(is_shown({.kind = kind}, Compact::yes));
    EXPECT_TRUE(is_shown({.kind = kind}, Compact::no));
  }
}

}  // namespace
}  // namespace cli
