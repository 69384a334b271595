#include "harness/harness.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "harness/harness_fixture.h"

namespace harness {
namespace {

Start start(bool attended) {
  return {.prompt = "Do it", .message_id = "m1", .session_id = "5e550000-0000-4000-8000-000000000001", .directory = "/w", .attended = attended};
}

// Everything that the files of lines hold, with the ways of starting that have decoders of their own.
const std::vector<std::string> kFiles = {"claude/turn.jsonl",   "claude/failures.jsonl", "claude/odd.jsonl",      "codex/exec.jsonl",    "codex/exec-failures.jsonl",
                                         "codex/server.jsonl",  "codex/server-failures.jsonl", "gemini/turn.jsonl", "gemini/failures.jsonl", "opencode/turn.jsonl"};

struct Driven {
  const Harness* harness;
  bool attended;
  std::unique_ptr<Decoder> decoder() const { return harness->decoder(start(attended)); }
};

std::vector<Driven> all_ways() {
  std::vector<Driven> out;
  for (const auto* one : all())
    for (const bool attended : {true, false}) out.push_back({one, attended});
  return out;
}

bool is_stripped(const Harness& harness, std::string_view variable) {
  return std::ranges::any_of(harness.stripped(), [&](std::string_view beginning) { return variable.starts_with(beginning); });
}

TEST(Harnesses, AreFoundByName) {
  EXPECT_EQ(known_names(), "claude, codex, gemini, opencode");
  ASSERT_EQ(all().size(), 4u);
  EXPECT_EQ(all().front()->name(), "claude");
  for (const auto* one : all()) {
    EXPECT_EQ(find(one->name()), one);
    EXPECT_EQ(one->capabilities().background, one->background() != nullptr);
    EXPECT_EQ(one->program(), one->command(start(true)).argv.at(0));
  }
  EXPECT_EQ(find("Claude"), nullptr);
  EXPECT_EQ(find(""), nullptr);
}

TEST(Harnesses, StripASessionsVariablesAndNoSettings) {
  for (const auto* one : all())
    if (!one->session_variable().empty()) EXPECT_TRUE(is_stripped(*one, one->session_variable())) << one->name();
  EXPECT_TRUE(is_stripped(*find("claude"), "CLAUDECODE"));
  EXPECT_TRUE(is_stripped(*find("claude"), "CLAUDE_CODE_ENTRYPOINT"));
  for (const auto* kept : {"CLAUDE_CONFIG_DIR", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_MAX_RETRIES",
                           "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "CLAUDE_CODE_PRINT_BG_WAIT_CEILING_MS", "CODEX_HOME", "CODEX_API_KEY", "GEMINI_API_KEY",
                           "GEMINI_CLI_HOME", "OPENCODE_CONFIG", "OPENCODE_SERVER_PASSWORD", "OPENCODE_DISABLE_AUTOUPDATE", "ANTHROPIC_API_KEY", "HOME", "PATH"})
    for (const auto* one : all()) EXPECT_FALSE(is_stripped(*one, kept)) << one->name() << " " << kept;
}

TEST(Harnesses, WhoeverStaysHasAChannel) {
  for (const auto& way : all_ways()) {
    const auto command = way.harness->command(start(way.attended));
    EXPECT_EQ(command.takes_input, command.stays);
    EXPECT_EQ(command.takes_input, !command.first.empty());
    for (const auto& reply : command.first) EXPECT_TRUE(base::parse_json(reply.line).has_value());
  }
}

TEST(Harnesses, APromptIsNeverAnOption) {
  for (const std::string prompt : {"--dangerously-skip-permissions", "-", "--", "-p"})
    for (const auto& way : all_ways()) {
      auto wanted = start(way.attended);
      wanted.prompt = prompt;
      const auto argv = way.harness->command(wanted).argv;
      EXPECT_EQ(std::ranges::count(argv, prompt), std::ranges::count(way.harness->command(start(way.attended)).argv, prompt)) << way.harness->name();
    }
}

// After a crash the lines that were read are read again, and then those that came since.
TEST(Decoders, WhatTheyTellDependsOnTheLinesAlone) {
  for (const auto& way : all_ways())
    for (const auto& file : kFiles) {
      const auto lines = file_lines(file);
      const auto whole = feed(*way.decoder(), lines);
      for (std::size_t cut = 0; cut <= lines.size(); ++cut) {
        const auto decoder = way.decoder();
        const auto middle = lines.begin() + static_cast<std::ptrdiff_t>(cut);
        auto told = feed(*decoder, Lines(lines.begin(), middle));
        const auto rest = feed(*decoder, Lines(middle, lines.end()));
        told.insert(told.end(), rest.begin(), rest.end());
        ASSERT_EQ(told, whole) << way.harness->name() << " " << file << " " << cut;
      }
    }
}

// Lines of every program, with bytes changed, in any order: nothing breaks, and what is told is text.
RC_GTEST_PROP(Decoders, TakeAnything, ()) {
  const auto way = *rc::gen::elementOf(all_ways());
  const auto decoder = way.decoder();
  std::vector<Told> out;
  for (int i = 0; i < 30; ++i) {
    const auto lines = file_lines(*rc::gen::elementOf(kFiles));
    auto line = *rc::gen::elementOf(lines);
    for (int changes = *rc::gen::inRange(0, 3); changes > 0 && !line.empty(); --changes)
      line[*rc::gen::inRange<std::size_t>(0, line.size())] = *rc::gen::elementOf(std::string("\"{}[],:0\\\xff\xc3 \n"));
    const auto before = out.size();
    decoder->line(line, out);
    RC_ASSERT(out.size() >= before);
  }
  decoder->end(0, "", out);
  for (const auto& text : words(out)) RC_ASSERT(base::valid_utf8(text));
}

TEST(Decoders, HostileLinesAreUnknown) {
  const std::string deep = R"({"type":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const std::string huge = R"({"type":"message","role":"assistant","content":")" + std::string(10 << 20, 'x') + R"("})";
  for (const auto& way : all_ways()) {
    const auto decoder = way.decoder();
    for (const auto& line : {deep, huge, std::string("\0\x01{", 3), std::string("{\"type\":\"result\"\xff"), std::string(), std::string("{}"), std::string("[]")})
      EXPECT_EQ(feed(*decoder, line), Lines{"unknown"}) << way.harness->name();
  }
}

}  // namespace
}  // namespace harness
