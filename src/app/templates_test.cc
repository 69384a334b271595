#include "app/templates.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

namespace app {
namespace {

class TemplatesTest : public testing::Test {
 protected:
  // The scalar `x` of the document, with its templates resolved.
  std::string x(const std::string& yaml) {
    warnings.clear();
    failure.clear();
    Problems problems("f.yaml");
    auto root = parse_yaml(yaml, problems);
    if (!root) return problems.error().message;
    expand_templates(
        *root, [this](std::string_view name) { return lookup(name); },
        [](std::string_view name) { return name == "os" ? std::optional<std::string>("Linux") : std::nullopt; }, problems,
        [](std::string_view path) { return path == "quiet"; });
    warnings = problems.warning_texts();
    if (!problems.empty()) failure = problems.error().message;
    const auto* node = root->find("x");
    unresolved = node && node->unresolved;
    return node ? node->text : "(none)";
  }
  std::optional<std::string> lookup(std::string_view name) const {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }

  std::map<std::string, std::string, std::less<>> variables = {{"KEY", "secret-value"}, {"TRICK", "{{env.KEY}}"}, {"EMPTY", ""}};
  std::vector<std::string> warnings;
  std::string failure;
  bool unresolved = false;
};

TEST_F(TemplatesTest, ResolvesTheEnvironment) {
  EXPECT_EQ(x("x: 'a {{env.KEY}} b {{ secret.KEY }}'"), "a secret-value b secret-value");
  EXPECT_EQ(x("x: '{{env.EMPTY}}'"), "");
  EXPECT_FALSE(unresolved);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(TemplatesTest, ValuesAreNotTemplates) { EXPECT_EQ(x("x: '{{env.TRICK}}'"), "{{env.KEY}}"); }

TEST_F(TemplatesTest, WhatIsNotSetStaysAndIsSaid) {
  EXPECT_EQ(x("x: 'a {{env.NOPE}} {{env.KEY}}'"), "a {{env.NOPE}} secret-value");
  EXPECT_TRUE(unresolved);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0], "x: the environment variable 'NOPE' is not set (f.yaml:1:4)");
  EXPECT_EQ(failure, "");
  x("quiet: '{{env.NOPE}}'");
  EXPECT_TRUE(warnings.empty());
}

TEST_F(TemplatesTest, TakesTheFirstOfSeveral) {
  EXPECT_EQ(x("x: \"{{env.NOPE ?? env.KEY ?? 'c'}}\""), "secret-value");
  EXPECT_EQ(x("x: \"{{env.NOPE ?? 'none'}}\""), "none");
  EXPECT_EQ(x("x: '{{secret.NOPE ?? env.NOPE2 ?? \"\"}}'"), "");
  EXPECT_EQ(x("x: \"{{unknown ?? 'd'}}\""), "d");
  EXPECT_EQ(x("x: \"{{ 'a ?? b' }}\""), "a ?? b");
  EXPECT_EQ(x("x: \"{{env.NOPE ?? event.body}}\""), "{{env.NOPE ?? event.body}}");
  EXPECT_TRUE(unresolved);
}

TEST_F(TemplatesTest, ResolvesVariablesAppAndSystem) {
  EXPECT_EQ(x("x: '{{workspace}}/a'\ndev: {variables: {workspace: '{{env.KEY}}/w'}}"), "secret-value/w/a");
  EXPECT_EQ(x("x: '{{app.id}} {{app.name}} {{app.app_id}}'\napp: {app_id: i, name: n}"), "i n i");
  EXPECT_EQ(x("x: '{{sys.os}} {{sys.unknown}}'"), "Linux {{sys.unknown}}");
  EXPECT_EQ(x("x: '{{n}}'\ndev: {variables: {n: 500}}"), "500");
  EXPECT_EQ(x("x: '{{empty}}'\ndev: {variables: {empty: ''}}"), "");
}

TEST_F(TemplatesTest, LeavesTheRestForRunTime) {
  for (const std::string text :
       {"{{event.path}}", "{{tool.result}}", "{{steps.0.output}}", "{{input}}", "{{x | upper}}", "{{prompt.intro}}",
        "{{include:a/b.md}}", "{{}}", "{{ }}", "{{", "}}", "{{a", "{ {env.KEY} }", "{{env.}}", "{{env.A.B}}"}) {
    EXPECT_EQ(x("x: \"" + text + "\""), text);
    EXPECT_FALSE(unresolved) << text;
    EXPECT_EQ(failure, "");
  }
}

TEST_F(TemplatesTest, AMissingVariableInsideAVariableIsMissing) {
  EXPECT_EQ(x("x: '{{w}}'\ndev: {variables: {w: '{{env.NOPE}}/w'}}"), "{{w}}");
  EXPECT_TRUE(unresolved);
  EXPECT_EQ(x("x: \"{{w ?? 'home'}}\"\ndev: {variables: {w: '{{env.NOPE}}/w'}}"), "home");
}

TEST_F(TemplatesTest, FindsCircles) {
  x("x: '{{a}}'\ndev: {variables: {a: '{{b}}', b: '{{a}}'}}");
  EXPECT_NE(failure.find("x: its templates refer to each other in a circle"), std::string::npos) << failure;
  EXPECT_NE(failure.find("DGT-E0208"), std::string::npos);
  x("x: '{{self}}'\ndev: {variables: {self: '{{self}}'}}");
  EXPECT_NE(failure, "");
}

TEST_F(TemplatesTest, NestsTenDeep) {
  std::string variables_text;
  for (int i = 0; i < 10; ++i) variables_text += "    v" + std::to_string(i) + ": '{{v" + std::to_string(i + 1) + "}}'\n";
  EXPECT_EQ(x("x: '{{v1}}'\ndev:\n  variables:\n" + variables_text + "    v10: end\n"), "end");
  EXPECT_EQ(failure.find("x: "), std::string::npos) << failure;
  EXPECT_NE(x("x: '{{v0}}'\ndev:\n  variables:\n" + variables_text + "    v10: end\n"), "end");
  EXPECT_NE(failure, "");
}

TEST_F(TemplatesTest, ExpansionIsBounded) {
  const auto began = std::chrono::steady_clock::now();
  std::string bomb = "x: '{{v0}}'\ndev:\n  variables:\n";
  for (int i = 0; i < 8; ++i) {
    bomb += "    v" + std::to_string(i) + ": '";
    for (int k = 0; k < 50; ++k) bomb += "{{v" + std::to_string(i + 1) + "}}";
    bomb += "'\n";
  }
  x(bomb + "    v8: ''\n");
  EXPECT_NE(failure.find("DGT-E0208"), std::string::npos);
  // A long text that is thrown away each time it is used, because a variable in it is missing.
  std::string waste = "x: '";
  for (int i = 0; i < 5'000; ++i) waste += "{{v}}";
  x(waste + "'\ndev: {variables: {v: '{{env.NOPE}}" + std::string(1 << 20, 'x') + "'}}\n");
  EXPECT_NE(failure.find("DGT-E0208"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(SystemValuesTest, KnowsThisMachine) {
  const auto values = system_values([](std::string_view name) {
    return name == "HOME"    ? std::optional<std::string>("/home/u")
           : name == "SHELL" ? std::optional<std::string>("/bin/zsh")
                             : std::nullopt;
  });
  EXPECT_EQ(values("home"), "/home/u");
  EXPECT_EQ(values("shell_family"), "zsh");
  EXPECT_EQ(values("os"), "Linux");
  EXPECT_EQ(values("user"), "unknown");
  EXPECT_EQ(values("date")->size(), 10u);
  EXPECT_EQ(values("time")->size(), 8u);
  EXPECT_EQ(values("nothing"), std::nullopt);
}

}  // namespace
}  // namespace app
