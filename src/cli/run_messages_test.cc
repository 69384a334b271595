#include "cli/run_messages.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

std::string said(const std::vector<run::Payload>& payloads) {
  RunMessages messages;
  std::vector<TranscriptPart> parts;
  for (const auto& payload : payloads) messages.add({.at_ms = 5, .payload = payload}, parts);
  messages.finish(parts);
  std::string text;
  for (const auto& part : parts) {
    EXPECT_EQ(part.at, "1970-01-01T00:00:00.005Z");
    text += part_text(part);
  }
  return text;
}

TEST(RunMessages, ARunReadsLikeATranscript) {
  EXPECT_EQ(
      said({run::RunStarted{}, run::HarnessStarted{.prompt = "please", .message_id = "m"}, run::HarnessHeard{"m"},
            run::ThinkingDelta{"h"}, run::ThinkingDelta{"m"}, run::TextDelta{"I "}, run::TextDelta{"look"},
            run::ToolStarted{.call = {.id = "1", .name = "shell", .arguments = R"({"command":"ls","n":1})"}},
            run::ToolCompleted{.call = {.id = "1", .name = "shell"}, .result = "a", .is_error = true}, run::TextDelta{"done"},
            run::RunCompleted{}}),
      "─── User ───\nplease\n\n─── Thinking ───\nhm\n\n─── Assistant ───\nI look\n\n─── Tool: shell ───\ncommand: ls\nn: 1\n\n"
      "─── Result (error) ───\na\n\n─── Assistant ───\ndone\n\n");
}

TEST(RunMessages, AMessageThatIsToldAgainIsShownOnce) {
  EXPECT_EQ(said({run::HarnessStarted{.prompt = "please", .message_id = "m"},
                  run::HarnessStarted{.process = 2, .prompt = "please", .message_id = "m"}, run::Notice{.text = "and this"},
                  run::HarnessStarted{.process = 3}}),
            "─── User ───\nplease\n\n─── User ───\nand this\n\n");
}

TEST(RunMessages, ArgumentsThatAreNoObjectAreShownAsTheyAre) {
  EXPECT_EQ(said({run::ToolStarted{.call = {.name = "x", .arguments = "{broken"}}}), "─── Tool: x ───\n{broken\n\n");
}

}  // namespace
}  // namespace cli
