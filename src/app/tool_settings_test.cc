#include "app/tool_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/definition.h"
#include "app/spec_of.h"

namespace app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const llm::Environment kNothing = [](std::string_view) -> std::optional<std::string> { return std::nullopt; };

std::string with(const std::string& tools, const std::string& agent_lines = "") {
  return "app: {app_id: a, name: A}\nagents:\n  - id: main\n    brain: {provider: openai, model: m}\n" + agent_lines +
         "tools:\n" + tools;
}

App load(const std::string& tools, const std::string& agent_lines = "") {
  auto app = parse_app(with(tools, agent_lines), "app.yaml", kNothing);
  EXPECT_TRUE(app) << (app ? "" : app.error().message);
  return app ? std::move(*app) : App{};
}

std::string problem(const std::string& tools) {
  const auto app = parse_app(with(tools), "app.yaml", kNothing);
  EXPECT_FALSE(app) << tools;
  return app ? "" : app.error().message;
}

TEST(ToolSettingsTest, TheShellAsItIsDeclared) {
  const auto app = load(
      "  modules:\n    shell:\n      config: {shell: /bin/dash, timeout_default: 1.5, max_output_lines: 50, "
      "extra_sensitive_patterns: ['ORD-\\d+'],\n"
      "        allowed_roots: [., /data], blocked_commands: [rm -rf], foreground_limit: 2, own: 1}\n"
      "      constraints: {readonly: true, allowed_commands: [ls, git status], blocked_commands: curl | sh, allowed_paths: "
      "[src]}\n");
  const auto spec = spec_of(app.agents[0]);
  const auto& shell = spec.settings.shell;
  EXPECT_EQ(shell.program, "/bin/dash");
  EXPECT_EQ(shell.timeout_ms, 1'500);
  EXPECT_EQ(shell.lines_max, 50);
  EXPECT_THAT(shell.sensitive_patterns, ElementsAre("ORD-\\d+"));
  EXPECT_THAT(shell.allowed_roots, ElementsAre(".", "/data"));
  EXPECT_THAT(shell.allowed_paths, ElementsAre("src"));
  EXPECT_THAT(shell.allowed_commands, ElementsAre("ls", "git status"));
  EXPECT_THAT(shell.blocked_commands, ElementsAre("rm -rf", "curl | sh"));
  EXPECT_TRUE(shell.read_only);
  EXPECT_EQ(spec.limits.foreground_ms, 2'000);
  EXPECT_THAT(app.warnings, IsEmpty());
  EXPECT_EQ(app.settings.shell, shell);
}

TEST(ToolSettingsTest, NothingDeclaredIsNothingSaid) {
  for (const auto* tools : {"  modules: {shell: {}}\n", "  modules: {shell: null}\n",
                            "  modules: {shell: {config: {}, constraints: {readonly: false}}}\n", "  modules: {}\n"})
    EXPECT_EQ(spec_of(load(tools).agents[0]).settings, run::ToolSettings{}) << tools;
}

TEST(ToolSettingsTest, MistakesOfTheShell) {
  const auto shell = [](const std::string& config, const std::string& constraints = "") {
    return problem("  modules:\n    shell:\n      config: {" + config + "}\n      constraints: {" + constraints + "}\n");
  };
  EXPECT_EQ(shell("extra_sensitive_patterns: ['ok+', 'a(b']"),
            "tools.modules.shell.config.extra_sensitive_patterns[1]: is no regular expression (RE2): missing ) (app.yaml:8:50, "
            "DGT-E0105)");
  EXPECT_THAT(shell("extra_sensitive_patterns: ['a*']"), HasSubstr("matches the empty text"));
  EXPECT_THAT(shell("timeout_default: 0.5"), HasSubstr("DGT-E0103"));
  EXPECT_THAT(shell("timeout_default: 1801"), HasSubstr("DGT-E0103"));
  EXPECT_THAT(shell("timeout_default: soon"), HasSubstr("DGT-E0102"));
  EXPECT_THAT(shell("max_output_lines: 0"), HasSubstr("DGT-E0103"));
  EXPECT_THAT(shell("shell: bash -e"), HasSubstr("without arguments"));
  EXPECT_THAT(shell("shell: ''"), HasSubstr("must be the path of a shell"));
  EXPECT_THAT(shell("shell: /usr/bin/zsh", "allowed_commands: [ls]"), HasSubstr("must be sh, bash or dash"));
  EXPECT_THAT(shell("allowed_roots: [~/x]"), HasSubstr("{{sys.home}}"));
  EXPECT_THAT(shell("allowed_roots: []"), HasSubstr("DGT-E0004"));
  EXPECT_THAT(shell("allowed_roots: ['']"), HasSubstr("allowed_roots[0]: is empty"));
  EXPECT_THAT(shell("blocked_commands: [[rm]]"), HasSubstr("DGT-E0102"));
  EXPECT_THAT(shell("blocked_commands: ['{{env.NOPE}}']"), HasSubstr("would restrict nothing (app.yaml:8:"));
  EXPECT_THAT(shell("", "allowed_commands: ['ls | cat']"), HasSubstr("without quotes and operators"));
  EXPECT_THAT(shell("", "allowed_commands: []"), HasSubstr("leave it out where everything is allowed"));
  EXPECT_THAT(shell("", "readonly: maybe"), HasSubstr("DGT-E0102"));
  EXPECT_THAT(problem("  modules: {filesystem: {constraints: {allowed_paths: {a: b}}}}\n"), HasSubstr("DGT-E0102"));
}

TEST(ToolSettingsTest, UnrestrictedLiftsNothing) {
  EXPECT_THAT(load("  modules: {shell: {constraints: {unrestricted: true}}}\n").warnings, IsEmpty());
  const auto both = load("  modules: {shell: {constraints: {unrestricted: true, blocked_commands: [rm]}}}\n");
  EXPECT_THAT(both.warnings, testing::Contains(HasSubstr("unrestricted: does not lift the other restrictions")));
  EXPECT_THAT(both.agents[0].settings.shell.blocked_commands, ElementsAre("rm"));
}

TEST(ToolSettingsTest, RateLimitsInBothForms) {
  const auto limits = [](const std::string& text) {
    return load("  modules: {shell: {}}\n  capabilities: {rate_limits: " + text + "}\n").agents[0].settings.rate_limits;
  };
  EXPECT_THAT(limits("{shell.bash: 10/min, filesystem: 100/hour, Read: 5/30s, background_run: 1/day}"),
              ElementsAre(run::RateLimit{"shell", {"bash"}, 10, 60'000}, run::RateLimit{"filesystem", {}, 100, 3'600'000},
                          run::RateLimit{"filesystem", {"read"}, 5, 30'000},
                          run::RateLimit{"context_builder", {"background_run"}, 1, 86'400'000}));
  EXPECT_THAT(limits("[{module: filesystem, actions: [Write, edit], max_calls: 3, per_seconds: 10}, {module: mcp_x, tools: [Y], "
                     "max_calls: 1, per_seconds: 1}]"),
              ElementsAre(run::RateLimit{"filesystem", {"write", "edit"}, 3, 10'000}, run::RateLimit{"mcp_x", {"y"}, 1, 1'000}));
  const auto agent = load("  modules: {shell: {}}\n  capabilities: {rate_limits: {shell: 9/s}, approval_timeout: 60}\n",
                          "    capabilities: {rate_limits: {shell: 1/s}, approval_timeout: 30}\n")
                         .agents[0];
  EXPECT_EQ(agent.settings.rate_limits.size(), 2u) << "both blocks count";
  EXPECT_EQ(spec_of(agent).limits.approval_ms, 30'000);
  EXPECT_EQ(spec_of(load("  modules: {shell: {}}\n  capabilities: {default_policy: auto}\n").agents[0]).limits.approval_ms, 0)
      << "only where it is declared";
}

TEST(ToolSettingsTest, MistakesOfRateLimits) {
  const auto limits = [](const std::string& text) { return problem("  capabilities: {rate_limits: " + text + "}\n"); };
  for (const auto* bad : {"{shell.bash: 10}", "{shell.bash: 0/min}", "{shell.bash: 10/}", "{shell.bash: 10/fortnight}",
                          "{shell.bash: 99999/s}", "{shell.bash: 1/2d}", "{shell.bash: -1/s}", "{shell.bash: ten/s}",
                          "{shell.bash: {}}", "{shell.bash: 1/99999999999999999999s}"})
    EXPECT_THAT(
        limits(bad),
        HasSubstr("tools.capabilities.rate_limits.shell.bash: must be a number of calls and a time, such as 10/min (app.yaml:6:"))
        << bad;
  EXPECT_THAT(limits("{shell.bash: 10/w}"), HasSubstr("DGT-E0103"));
  EXPECT_THAT(limits("{shel.bash: 10/s}"), HasSubstr("unknown module 'shel'"));
  EXPECT_THAT(limits("{shell.bosh: 10/s}"), HasSubstr("has no tool 'bosh', did you mean 'bash'?"));
  EXPECT_THAT(limits("[{module: shell, max_calls: 0, per_seconds: 1}]"), HasSubstr("DGT-E0103"));
  EXPECT_THAT(limits("[{module: shell, max_calls: 1}]"), HasSubstr("per_seconds: is required"));
  EXPECT_THAT(limits("[{module: shell, max_calls: 1, per_seconds: 1, per_secnds: 2}]"), HasSubstr("did you mean"));
  EXPECT_THAT(limits("fast"), HasSubstr("DGT-E0102"));
}

TEST(ToolSettingsTest, OnlyTheClassificationIsWithoutEffect) {
  const auto app = load("  capabilities: {rate_limits: {shell: 1/s}, approval_timeout: 30, max_data_classification: internal}\n");
  EXPECT_THAT(app.warnings, testing::Contains(HasSubstr("max_data_classification: has no effect yet")));
  EXPECT_THAT(app.warnings, Not(testing::Contains(HasSubstr("rate_limits"))));
  EXPECT_THAT(app.warnings, Not(testing::Contains(HasSubstr("approval_timeout"))));
}

}  // namespace
}  // namespace app
