#include "run/event.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <fstream>

#include "base/text.h"
#include "run/spec.h"

namespace run {
namespace {

TEST(EventCodec, EveryStoredLineOfEveryVersionIsRead) {
  // One file a version of the vocabulary; lines are only ever added.
  std::ifstream file(OUTLAST_TEST_DATA "/events/v1.jsonl");
  ASSERT_TRUE(file) << "tests/data/events/v1.jsonl";
  std::string line;
  int count = 0;
  while (std::getline(file, line)) {
    const auto event = decode(line);
    ASSERT_TRUE(event) << line << ": " << event.error().message;
    EXPECT_EQ(encode(*event), line);
    ++count;
  }
  EXPECT_EQ(count, 21);
}

TEST(EventCodec, RawTextDeltaIsTheWholeDecodeOfATextEvent) {
  const auto line = encode({1795231286123, TextDelta{"a \"quoted\"\n\u00fc \\ end"}});
  const auto raw = raw_text_delta(line);
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->seconds, "1795231286");
  EXPECT_EQ(raw->json_text, R"("a \"quoted\"\n)" "\u00fc" R"( \\ end")");
  EXPECT_FALSE(raw_text_delta(encode({1, ThinkingDelta{"x"}})));
  for (const auto* other : {"", R"({"type":"text","at":7,"text":"x"})", R"({"type":"text","at":1795231286123,"text":"x")",
                            R"({"type":"text","at":-795231286123,"text":"x"})", R"({"type":"text","at":1795231286123})"})
    EXPECT_FALSE(raw_text_delta(other)) << other;
}

TEST(EventCodec, ForeignLinesAreRefused) {
  for (const auto* line : {"", "null", "[]", "{", "{}", R"({"type":"from_the_future","at":1})"}) EXPECT_FALSE(decode(line)) << line;
}

RC_GTEST_PROP(EventCodecProperty, AnyTextComesBackAsItWas, (const std::string& bytes)) {
  const auto text = base::utf8_lossy(bytes);
  const auto line = encode({1795231286123, TextDelta{text}});
  RC_ASSERT(line.find('\n') == std::string::npos);
  const auto event = decode(line);
  RC_ASSERT(event.has_value());
  RC_ASSERT(std::get<TextDelta>(event->payload).text == text);
  RC_ASSERT(raw_text_delta(line).has_value());
}

TEST(SpecCodec, ARoundTripKeepsEverything) {
  Spec spec{.input = "in\n\u00fc", .provider = "p", .model = "m", .effort = "high", .backend = "openai_compat", .base_url = "http://x/v1",
            .system_prompt = "s", .tools = {{"Read", Gate::allow}, {"Write", Gate::approve}}, .limits = {.turns = 1, .tool_calls = 2, .tokens = 3, .cost_micros = 9, .timeout_ms = 4},
            .work_directory = "/w", .temperature = 0.5, .top_p = 0.25, .max_tokens = 7};
  const auto read = decode_spec(encode(spec));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode(*read), encode(spec));
  EXPECT_EQ(read->tools[1].gate, Gate::approve);
  EXPECT_EQ(read->limits.timeout_ms, 4);
  spec.limits.model_call_ms = 5;
  spec.definition = {"/srv/app.yaml", "main"};
  const auto of_app = decode_spec(encode(spec));
  ASSERT_TRUE(of_app);
  EXPECT_EQ(encode(*of_app), encode(spec));
  EXPECT_EQ(of_app->definition.file, "/srv/app.yaml");
  EXPECT_EQ(of_app->definition.agent, "main");
  EXPECT_EQ(of_app->limits.tasks, TaskLimits());
  spec.limits.tasks = {.live = 7, .listed = 0, .listed_ms = 1'800, .on_end = OnEnd::adopt};
  EXPECT_EQ(decode_spec(encode(spec))->limits.tasks, spec.limits.tasks);
}

TEST(SpecCodec, RootsAreThereOnlyWhereThereAreSome) {
  Spec spec{.input = "in", .work_directory = "/w", .roots = {"/flow", "/project dir/\u00fc"}};
  EXPECT_EQ(decode_spec(encode(spec))->roots, spec.roots);
  spec.roots.clear();
  EXPECT_EQ(encode(spec), R"({"input":"in","work_directory":"/w"})");
  EXPECT_TRUE(decode_spec(encode(spec))->roots.empty());
}

TEST(SpecCodec, ToolSettingsAreThereOnlyWhereSomethingIsSaid) {
  Spec spec{.input = "in"};
  EXPECT_EQ(encode(spec), R"({"input":"in"})");
  spec.settings.shell = {.program = "/bin/dash", .timeout_ms = 5'000, .lines_max = 20, .sensitive_patterns = {"k=\\d+"}, .allowed_roots = {"/srv"},
                         .allowed_paths = {"src"}, .allowed_commands = {"ls"}, .blocked_commands = {"rm -rf"}, .read_only = true};
  spec.settings.file_paths = {"docs"};
  spec.settings.rate_limits = {{.module = "shell", .actions = {"bash"}, .calls_max = 10, .per_ms = 60'000}, {.module = "filesystem", .calls_max = 1, .per_ms = 1}};
  spec.limits.approval_ms = 30'000;
  const auto read = decode_spec(encode(spec));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->settings, spec.settings);
  EXPECT_EQ(read->limits.approval_ms, 30'000);
}

}  // namespace
}  // namespace run
