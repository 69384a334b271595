#include "llm/event_json.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/surrogates.h"
#include "base/text.h"

namespace llm {
namespace {

std::string text_of(EventJson& json, std::string_view document) {
  const auto* value = json.parse(document);
  if (!value) return "(unreadable)";
  return std::string(value->as_object().at("t").as_string());
}

TEST(EventJsonTest, ReadsManyDocumentsWithOneParser) {
  EventJson json;
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(text_of(json, R"({"t":"w)" + std::to_string(i) + R"("})"), "w" + std::to_string(i));
  const std::string large(100'000, 'x');
  EXPECT_EQ(text_of(json, R"({"t":")" + large + R"("})"), large);
  EXPECT_EQ(text_of(json, R"({"t":"small"})"), "small");
}

TEST(EventJsonTest, GoesOnAfterWhatIsNoJson) {
  EventJson json;
  for (const auto* bad : {"", "{", R"({"t":)", R"({"t":"a"} x)", "nonsense", "{\"t\":\"\x01\"}"})
    EXPECT_EQ(json.parse(bad), nullptr) << bad;
  EXPECT_EQ(text_of(json, R"({"t":"a"})"), "a");
}

TEST(EventJsonTest, LoneSurrogatesAndInvalidBytesBecomeReplacementCharacters) {
  EventJson json;
  EXPECT_EQ(text_of(json, R"({"t":"a\ud83db"})"), "a\uFFFDb");
  EXPECT_EQ(text_of(json, R"({"t":"\ude00"})"), "\uFFFD");
  EXPECT_EQ(text_of(json, R"({"t":"\ud83d\ud83d\ude00"})"), "\uFFFD\U0001F600");
  EXPECT_EQ(text_of(json, R"({"t":"\\ud83d"})"), "\\ud83d");
  EXPECT_EQ(text_of(json, "{\"t\":\"a\xFF\xE2\x82\"}"), "a\uFFFD\uFFFD\uFFFD");
}

TEST(EventJsonTest, RepairLeavesWholeTextsAlone) {
  for (const auto* text : {R"({"a":"\ud83d\ude00 \n \\ \u0041"})", "", "\\", R"(\u12)", R"("\)"})
    EXPECT_EQ(base::repair_surrogates(text), text);
}

TEST(EventJsonTest, DepthIsBounded) {
  EventJson json;
  EXPECT_EQ(json.parse(std::string(100'000, '[')), nullptr);
}

}  // namespace
}  // namespace llm
