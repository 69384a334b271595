#include "api/apps/envelope.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "run/event.h"
#include "run/spec.h"

namespace api::apps {
namespace {

store::Run turn() {
  store::Run r;
  r.run_id = "r1";
  r.session_id = "s \"1\"";
  r.component_id = "clerk";
  run::Spec spec;
  spec.input = "say \"hé\"\n";
  r.spec = run::encode(spec);
  return r;
}

std::string json_of(const run::Payload& payload, std::uint64_t index = 2) {
  std::string out;
  Envelope("desk", turn(), 40).append_json(out, index, run::encode({1795270463123, payload}));
  return out;
}

TEST(AppEnvelope, CarriesTheEventOfTheLog) {
  EXPECT_EQ(json_of(run::TextDelta{"w0 "}),
            R"({"type":"text","seq":42,"kind":"model","app_id":"desk","session_id":"s \"1\"",)"
            R"("payload":{"run_id":"r1","index":2,"text":"w0 "},"ts":"2026-11-21T14:14:23.123Z"})");
}

TEST(AppEnvelope, TheFirstEventTellsWhatIsAnswered) {
  const auto value = base::parse_json(json_of(run::RunStarted{"story", "demo"}, 0));
  ASSERT_TRUE(value);
  const auto& payload = value->at("payload").as_object();
  EXPECT_EQ(payload.at("agent").as_string(), "clerk");
  EXPECT_EQ(payload.at("message").as_string(), "say \"hé\"\n");
  EXPECT_EQ(payload.at("model").as_string(), "story");
  EXPECT_EQ(value->at("seq").as_int64(), 40);
}

TEST(AppEnvelope, EveryTypeIsValidJsonOfAKnownKind) {
  const run::ToolCall call{.id = "c", .name = "Bash", .arguments = "{\"a\":[1,\"},\\\"at\\\":5\"]}"};
  const run::Payload all[] = {run::RunStarted{},
                              run::ModelStarted{},
                              run::TextDelta{"}"},
                              run::ThinkingDelta{"t"},
                              run::Superseded{1, 2, "x"},
                              run::ModelCompleted{},
                              run::ToolStarted{call},
                              run::ToolCompleted{call, "{}", false, 1, 1},
                              run::ToolError{call, "e"},
                              run::ContentCompleted{},
                              run::RunCompleted{},
                              run::RunError{},
                              run::RunCancelled{"a", "b"},
                              run::RunPaused{"c", {call}},
                              run::RunContinued{{{"c", true, ""}}},
                              run::Notice{"t", "x"},
                              run::ContextCompacted{2, 3}};
  for (const auto& payload : all) {
    const auto text = json_of(payload);
    const auto value = base::parse_json(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->at("type").as_string(), run::type_name(payload));
    EXPECT_NE(value->at("kind").as_string(), "other") << text;
    EXPECT_EQ(value->at("ts").as_string(), "2026-11-21T14:14:23.123Z");
    const bool ends = std::holds_alternative<run::RunCompleted>(payload) || std::holds_alternative<run::RunError>(payload);
    EXPECT_EQ(ends_turn(run::encode({1, payload})), ends) << text;
  }
}

TEST(AppEnvelope, ATypeOfANewerProgramPassesThrough) {
  std::string out;
  Envelope("desk", turn(), 0).append_json(out, 7, R"({"type":"thought_of","at":5,"by":{"whom":"x"}})");
  const auto value = base::parse_json(out);
  ASSERT_TRUE(value) << out;
  EXPECT_EQ(value->at("kind").as_string(), "other");
  EXPECT_EQ(value->at("payload").at("by").at("whom").as_string(), "x");
}

TEST(AppEnvelope, AFrameIsNamedAndNumbered) {
  std::string out;
  Envelope("desk", turn(), 40).append_frame(out, 2, run::encode({5, run::ContentCompleted{}}));
  EXPECT_TRUE(out.starts_with("id: 42\nevent: content_completed\ndata: {\"type\":\"content_completed\",\"seq\":42,")) << out;
  EXPECT_TRUE(out.ends_with("}\n\n")) << out;
}

}  // namespace
}  // namespace api::apps
