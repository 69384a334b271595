#include "llm/demo_script.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace llm {
namespace {

TEST(DemoScriptTest, EveryKey) {
  const auto script = parse_demo_script(R"(
description: all of it
turns:
  - text: hello
    rate: 40
    thinking: 2
    calls:
      - {name: Read, arguments: {file_path: "a", n: 1, yes: true, no_number: "1", list: [1.5, null, x]}}
      - {name: Now}
      - {name: Raw, arguments: '{"a":1}'}
    error: {status: 429, times: 2, message: slow, retry_after_ms: 5}
    stall: {after: 1, ms: 100, times: 3}
    cut: {after: 4, times: 5}
  - {tokens: 7, size: 10}
  - {tokens: prompt}
  - json: {answer: [1, "2"]}
    error: [{status: 500}, {times: 1}]
)",
                                        "x.yaml");
  ASSERT_TRUE(script.has_value()) << script.error().message;
  ASSERT_EQ(script->turns.size(), 4U);
  const auto& first = script->turns[0];
  EXPECT_EQ(first.text, "hello");
  EXPECT_EQ(first.rate, 40);
  EXPECT_EQ(first.thinking, 2);
  const std::vector<DemoCall> calls{{"Read", R"({"file_path":"a","n":1,"yes":true,"no_number":"1","list":[1.5,null,"x"]})"},
                                    {"Now", "{}"},
                                    {"Raw", R"({"a":1})"}};
  EXPECT_EQ(first.calls, calls);
  EXPECT_EQ(first.errors, (std::vector<DemoError>{{429, 2, "slow", 5}}));
  EXPECT_EQ(first.stall, (DemoStall{1, 100, 3}));
  EXPECT_EQ(first.cut, (DemoCut{4, 5}));
  EXPECT_EQ(script->turns[1].tokens, 7);
  EXPECT_EQ(script->turns[1].size, 10);
  EXPECT_TRUE(script->turns[2].tokens_from_prompt);
  EXPECT_EQ(script->turns[3].text, R"({"answer":[1,"2"]})");
  EXPECT_EQ(script->turns[3].errors, (std::vector<DemoError>{{500, {}, "", {}}, {500, 1, "", {}}}));
}

TEST(DemoScriptTest, ErrorsNameThePlaceAndWhatWasMeant) {
  const auto message = [](std::string_view yaml) {
    const auto script = parse_demo_script(yaml, "x.yaml");
    EXPECT_FALSE(script.has_value()) << yaml;
    return script ? std::string() : script.error().message;
  };
  EXPECT_EQ(message("turns:\n  - tokns: 3\n"), "x.yaml:2:5: turns[0].tokns: unknown key, did you mean 'tokens'?");
  EXPECT_EQ(message("turns:\n  - {tokens: many}\n"), "x.yaml:2:14: turns[0].tokens: must be a whole number from 0 to 10000000");
  EXPECT_EQ(message("turns: []"), "x.yaml:1:1: turns: must be a list of at least one turn");
  EXPECT_EQ(message("turn: []"),
            "x.yaml:1:1: turn: unknown key, did you mean 'turns'?\nx.yaml:1:1: turns: must be a list of at least one turn");
  EXPECT_EQ(message("turns:\n  - {text: a, tokens: 1}\n"),
            "x.yaml:2:5: turns[0]: only one of text, json and tokens can be given");
  EXPECT_EQ(
      message("turns:\n  - {cut: {after: -1}, stall: 3}\n"),
      "x.yaml:2:31: turns[0].stall: must be a map\nx.yaml:2:19: turns[0].cut.after: must be a whole number from 0 to 10000000");
  EXPECT_EQ(message("turns:\n  - {calls: [{arguments: {}}]}\n"), "x.yaml:2:14: turns[0].calls[0].name: is missing");
  EXPECT_EQ(message("turns:\n  - {error: {status: 200}}\n"),
            "x.yaml:2:22: turns[0].error.status: must be a whole number from 300 to 599");
  EXPECT_TRUE(message("turns: [").starts_with("x.yaml:"));
  message("");
  message("just text");
  message("- a\n- b\n");
  message(std::string(kDemoScriptBytesMax + 1, ' '));
}

TEST(DemoScriptTest, AliasesDoNotMultiplyWithoutEnd) {
  std::string yaml = "turns:\n  - json:\n      a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    yaml += "      a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) yaml += (k ? ", *a" : "*a") + std::to_string(i - 1);
    yaml += "]\n";
  }
  const auto script = parse_demo_script(yaml, "x.yaml");
  ASSERT_FALSE(script.has_value());
  EXPECT_NE(script.error().message.find("too large"), std::string::npos);
}

TEST(DemoScriptTest, BuiltInScriptsAreWhole) {
  for (const auto name : built_in_demo_names()) {
    const auto script = parse_demo_script(built_in_demo_script(name).value(), name);
    ASSERT_TRUE(script.has_value()) << script.error().message;
    EXPECT_FALSE(script->turns.empty());
  }
  EXPECT_FALSE(built_in_demo_script("none"));
  const auto plan = parse_demo_script(*built_in_demo_script("plan"), "plan");
  const auto json = base::parse_json(*plan->turns[0].text);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(json->as_object().at("operations").as_array().size(), 3U);
}

DemoScript script_of(std::string_view name) { return parse_demo_script(*built_in_demo_script(name), name).value(); }

TEST(DemoDirectivesTest, WordsReplaceTheTextOfTheScript) {
  const auto script = with_directives(script_of("story"), "please tokens=5 rate=0 size=9");
  ASSERT_EQ(script.turns.size(), 1U);
  EXPECT_EQ(script.turns[0].text, std::nullopt);
  EXPECT_EQ(script.turns[0].tokens, 5);
  EXPECT_EQ(script.turns[0].rate, 0);
  EXPECT_EQ(script.turns[0].size, 9);
  EXPECT_EQ(with_directives(script_of("story"), "tell me").turns[0].rate, 40);
}

TEST(DemoDirectivesTest, OneTurnForEachLineOfCallsThenTheText) {
  const auto script = with_directives(script_of("fast"),
                                      "call Bash {\"command\": \"sleep 5 | cat\"}\n"
                                      "  parallel A {\"x\":1} | B {\"y\":\"a | b\"} | C {}\r\n"
                                      "say Done. tokens=7\n");
  ASSERT_EQ(script.turns.size(), 3U);
  EXPECT_EQ(script.turns[0].calls, (std::vector<DemoCall>{{"Bash", R"({"command": "sleep 5 | cat"})"}}));
  EXPECT_EQ(script.turns[1].calls, (std::vector<DemoCall>{{"A", R"({"x":1})"}, {"B", R"({"y":"a | b"})"}, {"C", "{}"}}));
  EXPECT_EQ(script.turns[2].text, "Done. tokens=7");
}

TEST(DemoDirectivesTest, FaultsOfErrorsForAllTurnsStallsAndCutsForTexts) {
  const auto script =
      with_directives(script_of("fast"), "tokens=3\ncall A {}\nerror 429 x2\nerror 500\nstall 1 50 x1\ncut 2\nthinking 4");
  ASSERT_EQ(script.turns.size(), 2U);
  for (const auto& turn : script.turns) {
    EXPECT_EQ(turn.errors, (std::vector<DemoError>{{429, 2, "", {}}, {500, {}, "", {}}}));
    EXPECT_EQ(turn.thinking, 4);
  }
  EXPECT_FALSE(script.turns[0].stall || script.turns[0].cut);
  EXPECT_EQ(script.turns[1].stall, (DemoStall{1, 50, 1}));
  EXPECT_EQ(script.turns[1].cut, (DemoCut{2, {}}));
}

TEST(DemoDirectivesTest, OrdinaryTextIsNoDirective) {
  const auto plain = script_of("story");
  for (const auto* text : {"call me later", "call Bash rm -rf", "call Bash [1]",      "error in line 3", "error 99",
                           "error 429 x",   "error 429 y2",     "error 429 x1 more",  "stall it",        "stall 1",
                           "cut",           "cut 5 x-1",        "thinking hard",      "parallel lives",  "parallel A {} | B",
                           "tokens=many",   "tokens=-1",        "tokens=99999999999", "rate=",           "the error 429 x2"})
    EXPECT_EQ(with_directives(plain, text), plain) << text;
}

TEST(DemoDirectivesTest, TokensFromThePrompt) {
  const auto tokens = [](std::string_view prompt) { return with_directives(script_of("fast"), prompt).turns.back().tokens; };
  EXPECT_EQ(tokens("write 250 tokens, not 300"), 250);
  EXPECT_EQ(tokens("write"), 100);
  EXPECT_EQ(tokens("tokens=4 or 5"), 4);
  EXPECT_EQ(tokens("call A {\"n\": 77}"), 100);
  EXPECT_EQ(tokens("error 500 x1"), 100);
}

}  // namespace
}  // namespace llm
