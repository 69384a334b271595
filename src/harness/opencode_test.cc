#include <gtest/gtest.h>

#include "harness/harness_fixture.h"
#include "harness/harnesses.h"

namespace harness {
namespace {

Start start() { return {.prompt = "Do it", .message_id = "m1", .directory = "/w"}; }

Lines end(Decoder& decoder, std::optional<int> exit_code) {
  std::vector<Told> out;
  decoder.end(exit_code, "", out);
  return words(out);
}

std::string step_end(std::string_view reason) {
  return R"({"type":"step_finish","sessionID":"ses_1","part":{"reason":")" + std::string(reason) + R"("}})";
}

TEST(Opencode, CommandLines) {
  const auto command = opencode().command(start());
  EXPECT_EQ(command.argv, (Lines{"opencode", "run", "--format", "json", "Do it"}));
  EXPECT_FALSE(command.takes_input || command.stays);
  auto again = start();
  again.resumes = again.forks = true;
  again.session_id = "ses_1";
  again.model = "p/m";
  EXPECT_EQ(opencode().command(again).argv, (Lines{"opencode", "run", "--format", "json", "-s", "ses_1", "--fork", "-m", "p/m", "Do it"}));
}

TEST(Opencode, ATurnIsDoneWhenItHasStoppedAndExited) {
  const auto decoder = opencode().decoder(start());
  const std::string hi = R"(call_1 bash {"command":"echo hi","description":"Say hi"})";
  EXPECT_EQ(feed(*decoder, file_lines("opencode/turn.jsonl")),
            (Lines{"session ses_494719016ffe85dkDMj0FPRbHK model= version=", "turn began", "heard m1", "thought I look.", "call " + hi,
                   "ended " + hi + " => hi\n", R"(call call_2 bash {"command":"false"})", R"(failed call_2 bash {"command":"false"} => )",
                   R"(call call_3 read {"filePath":"x"})", R"(failed call_3 read {"filePath":"x"} => File not found: x)", "said Done."}));
  EXPECT_EQ(end(*decoder, 0), (Lines{"turn done text=Done. usage=210/20/2/30/4 cost=1500", "handled m1"}));
}

TEST(Opencode, WhatWasCutIsNotDone) {
  for (const auto& [reason, exit_code] : std::vector<std::pair<std::string, std::optional<int>>>{{"tool-calls", 0}, {"stop", 1}, {"stop", std::nullopt}}) {
    const auto decoder = opencode().decoder(start());
    feed(*decoder, step_end(reason));
    EXPECT_EQ(end(*decoder, exit_code), Lines{}) << reason;
  }
  const auto silent = opencode().decoder(start());
  EXPECT_EQ(end(*silent, 0), Lines{});
  const auto goes_on = opencode().decoder(start());
  feed(*goes_on, {step_end("stop"), R"({"type":"step_start","sessionID":"ses_1","part":{}})"});
  EXPECT_EQ(end(*goes_on, 0), Lines{});
  const auto cut = opencode().decoder(start());
  feed(*cut, step_end("length"));
  EXPECT_EQ(end(*cut, 0), Lines{"turn failed error=the model's answer ended with: length"});
}

TEST(Opencode, ErrorsDecide) {
  const auto ended = [](std::string_view error) {
    const auto decoder = opencode().decoder(start());
    feed(*decoder, R"({"type":"error","sessionID":"ses_1","error":)" + std::string(error) + "}");
    return end(*decoder, 1);
  };
  EXPECT_EQ(ended(R"({"name":"ProviderAuthError","data":{"message":"no key"}})"), Lines{"turn denied error=no key"});
  EXPECT_EQ(ended(R"({"name":"APIError","data":{"message":"slow down","statusCode":429}})"), Lines{"turn limited error=slow down"});
  EXPECT_EQ(ended(R"({"name":"UnknownError"})"), Lines{"turn failed error=UnknownError"});
}

TEST(Opencode, WhatIsNotKnownIsSaidToBeUnknown) {
  const auto decoder = opencode().decoder(start());
  EXPECT_EQ(feed(*decoder, {R"({"type":"text","sessionID":7,"part":{"text":"x"}})", R"({"type":"text","sessionID":"ses_1"})",
                            R"({"type":"tool_use","sessionID":"ses_1","part":{"callID":7}})", R"({"type":"error","sessionID":"ses_1"})", "text"}),
            (Lines{"unknown", "unknown", "session ses_1 model= version=", "heard m1", "unknown", "unknown", "unknown"}));
}

}  // namespace
}  // namespace harness
