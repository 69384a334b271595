#include <gtest/gtest.h>

#include "harness/harness_fixture.h"
#include "harness/harnesses.h"

namespace harness {
namespace {

Start start() { return {.prompt = "Do it", .message_id = "m1", .session_id = "655b5b7d-a005-4599-9584-eb76a4128993", .directory = "/w"}; }

TEST(Gemini, CommandLines) {
  const auto command = gemini().command(start());
  EXPECT_EQ(command.argv, (Lines{"gemini", "--skip-trust", "--approval-mode", "auto_edit", "--session-id", "655b5b7d-a005-4599-9584-eb76a4128993",
                                 "--output-format", "stream-json", "-p", "Do it"}));
  EXPECT_FALSE(command.takes_input || command.stays);
  auto again = start();
  again.resumes = again.skip_permissions = true;
  again.model = "gemini-2.5-flash";
  again.prompt = "--help";
  const auto argv = gemini().command(again).argv;
  EXPECT_EQ(value_of(argv, "--resume"), start().session_id);
  EXPECT_EQ(value_of(argv, "--approval-mode"), "yolo");
  EXPECT_EQ(value_of(argv, "-m"), "gemini-2.5-flash");
  EXPECT_EQ(argv.back(), " --help");
}

TEST(Gemini, ATurn) {
  const auto decoder = gemini().decoder(start());
  EXPECT_EQ(feed(*decoder, file_lines("gemini/turn.jsonl")),
            (Lines{"session 655b5b7d-a005-4599-9584-eb76a4128993 model=gemini-2.5-pro version=", "turn began", "heard m1", "said I will look.",
                   R"(call run_shell_command-1 run_shell_command {"command":"echo hi"})",
                   R"(ended run_shell_command-1 run_shell_command {"command":"echo hi"} => hi)", R"(call read_file-2 read_file {"path":"x"})",
                   R"(failed read_file-2 read_file {"path":"x"} => File not found: x)", "said Done.", "turn done text=Done. usage=200/24/0/50/0",
                   "handled m1"}));
}

TEST(Gemini, FailuresAreToldApart) {
  const auto decoder = gemini().decoder(start());
  const auto told = feed(*decoder, file_lines("gemini/failures.jsonl"));
  ASSERT_GE(told.size(), 7u);
  EXPECT_TRUE(told[0].starts_with("turn limited error=[API Error: ") && told[0].ends_with(" usage=10/0/0/0/0 for=34070")) << told[0];
  EXPECT_TRUE(told[1].starts_with("turn denied error=[API Error: ")) << told[1];
  EXPECT_EQ(told[2], "turn denied error=Please set an Auth method");
  EXPECT_TRUE(told[3].starts_with("turn again error=")) << told[3];
  EXPECT_EQ(told[4], "turn failed error=Reached max session turns for this session.");
  EXPECT_EQ(told[5], "turn again error=fetch failed");
  EXPECT_EQ(Lines(told.begin() + 7, told.end()),
            (Lines{"heard m1", "said whole", "unknown", "unknown", "said another", "unknown", "ended never-begun   => x", "unknown", "unknown", "unknown"}));
}

TEST(Gemini, WithoutALastWordTheEndOnlyCompletesItsText) {
  const auto decoder = gemini().decoder(start());
  feed(*decoder, std::string_view(R"({"type":"message","role":"assistant","content":"half a","delta":true})"));
  std::vector<Told> out;
  decoder->end(0, "", out);
  EXPECT_EQ(words(out), Lines{"said half a"});
}

}  // namespace
}  // namespace harness
