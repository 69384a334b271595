#include <gtest/gtest.h>

#include "base/json.h"
#include "run/agent_fixture.h"
#include "run/expression.h"
#include "run/hook.h"
#include "run/hook_condition.h"
#include "run/hook_template.h"

namespace run {
namespace {

boost::json::value parse(std::string_view text) { return *base::parse_json(text); }

const char* const kFacts = R"({"turns":6,"turn":2,"max_turns":50,"tools":21,"messages":49,"pressure":0.8,"content":"Say Hello",
  "error":{"type":"ProviderAuth"},
  "tool":{"name":"background_run","names":["background_run","context_builder.background_run","BackgroundRun"],"failed":false,
          "params":{"name":"Bash","list":[1,{"a":"x"},3]},"result":{"task_id":"t1","n":2,"data":{"deep":"d"}},"text":"{{input}}"}})";

TEST(HookCondition, HoldsAsDocumented) {
  const auto facts = parse(kFacts);
  const struct {
    const char* condition;
    bool holds;
  } rows[] = {
      {R"({"type":"always"})", true},
      {R"({"type":"never"})", false},
      {R"({"type":"unheard_of"})", false},
      {R"({})", false},
      {R"({"type":"context_pressure"})", true},
      {R"({"type":"context_pressure","threshold":0.9})", false},
      {R"({"type":"turn_count","threshold":6})", true},
      {R"({"type":"turn_count","threshold":7})", false},
      {R"({"type":"turn_count","every":3})", true},
      {R"({"type":"turn_count","every":4})", false},
      {R"({"type":"turn_count","threshold":6,"every":5})", false},
      {R"({"type":"tool_calls"})", true},
      {R"({"type":"message_count"})", false},
      {R"({"type":"message_count","threshold":49})", true},
      {R"({"type":"tool_name","match":"background_run"})", true},
      {R"({"type":"tool_name","match":"BACKGROUND_RUN"})", true},
      {R"({"type":"tool_name","match":["bash","context_builder.*"]})", true},
      {R"({"type":"tool_name","match":"bash | Background*"})", true},
      {R"({"type":"tool_name","match":"bash"})", false},
      {R"({"type":"tool_name","match":7})", false},
      {R"({"type":"tool_failed"})", false},
      {R"({"type":"content_contains","keyword":"hello"})", true},
      {R"({"type":"content_contains","keyword":"bye"})", false},
      {R"({"type":"error_type","match":"Provider*"})", true},
      {R"({"type":"expression","expr":"turn < max_turns and tools > 20"})", true},
      {R"({"type":"expression","expr":"turn >"})", false},
      {R"({"type":"all_of","conditions":[]})", true},
      {R"({"type":"any_of","conditions":[]})", false},
      {R"({"type":"all_of"})", false},
      {R"({"type":"all_of","conditions":["always",{"type":"never"}]})", false},
      {R"({"type":"any_of","conditions":["never",{"type":"always"}]})", true},
      {R"({"type":"not","condition":{"type":"never"}})", true},
      {R"({"type":"not","condition":"always"})", false},
      {R"({"type":"not"})", false},
  };
  for (const auto& row : rows) EXPECT_EQ(holds(parse(row.condition).get_object(), facts), row.holds) << row.condition;
  boost::json::value deep = parse(R"({"type":"always"})");
  for (int i = 0; i < 100; ++i) deep = boost::json::object{{"type", "not"}, {"condition", deep}};
  EXPECT_NO_FATAL_FAILURE(holds(deep.get_object(), facts));
}

TEST(HookTemplate, FindsWhatIsThere) {
  const auto facts = parse(kFacts);
  const struct {
    const char* text;
    const char* rendered;
  } rows[] = {
      {"task {{tool.result.task_id}} ({{tool.params.name}})", "task t1 (Bash)"},
      {"{{ tool.result.data.task_id }}", "t1"},
      {"{{tool.result.deep}}", "d"},
      {"{{tool.params.list.1.a}}{{tool.params.list.-1}}{{tool.params.list.9}}", "x3"},
      {"{{tool.params.list}}", R"([1,{"a":"x"},3])"},
      {"[{{tool.nothing.at.all}}]", "[]"},
      {"{{tool.text}}", "{{input}}"},
      {"{{unclosed", "{{unclosed"},
      {"}} {{}} {{", "}}  {{"},
      {"{{pressure}} {{tool.failed}}", "0.8 false"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(render(row.text, facts), row.rendered) << row.text;
  }
  const auto all =
      render_all(parse(R"({"n":"{{tool.result.n}}","t":"is {{tool.result.n}}","o":["{{tool.result}}"],"none":"{{x}}"})"), facts);
  EXPECT_EQ(all, parse(R"({"n":2,"t":"is 2","o":[{"task_id":"t1","n":2,"data":{"deep":"d"}}],"none":""})"));
}

TEST(HookTemplate, ACommandTakesValuesAsWords) {
  const auto facts = parse(R"({"v":"a'b $(x) \"y\" `z`"})");
  EXPECT_EQ(render_command("echo {{v}}", facts), R"(echo 'a'\''b $(x) "y" `z`')");
  EXPECT_EQ(render_command("echo \"{{v}}\"", facts), R"(echo ""'a'\''b $(x) "y" `z`'"")");
  EXPECT_EQ(render_command("echo '{{v}}'", facts), R"(echo '''a'\''b $(x) "y" `z`''')");
  EXPECT_EQ(render_command(R"(echo \"{{v}})", facts), R"(echo \"'a'\''b $(x) "y" `z`')");
}

TEST(Expression, EvaluatesAndRefuses) {
  const auto facts = parse(kFacts);
  for (const auto* yes : {"1", "true", "tools + 1 == 22", "2 * 3 % 4 == 2", "-1 < 0", "tools / 0 == 0", "not false", "!0 && 1",
                          "turns == 6 or nothing", "tool.name == 'background_run'", "tool.result.n >= 2", "(1 and 0) or 1",
                          "missing == 0", "\"b\" > 'a'", "10 - 2 - 3 == 5"})
    EXPECT_EQ(evaluate(yes, facts), true) << yes;
  for (const auto* no : {"0", "missing", "''", "not (1 or 0)", "turn > max_turns", "'6' == 6", "1 - 1"})
    EXPECT_EQ(evaluate(no, facts), false) << no;
  for (const auto* wrong : {"", "1 +", "(1", "1 2", "'x", "@", "and", "a b", "1)"}) EXPECT_FALSE(evaluate(wrong, facts)) << wrong;
  EXPECT_FALSE(evaluate(std::string(10'000, '1'), facts));
  EXPECT_FALSE(evaluate(std::string(2'000, '(') + "1", facts));
  EXPECT_FALSE(evaluate(std::string(2'000, '!') + "1", facts));
}

TEST(Hook, RestsBetweenFirings) {
  Hook hook{.id = "h", .on = HookEvent::turn_end, .condition = {}, .action = {}, .cooldown_ms = 100, .max_fires = 2};
  EXPECT_TRUE(may_fire(hook, {}, 0));
  EXPECT_FALSE(may_fire(hook, {1, 1'000}, 1'099));
  EXPECT_TRUE(may_fire(hook, {1, 1'000}, 1'100));
  EXPECT_TRUE(may_fire(hook, {1, 1'000}, 500)) << "a clock that was set back must not silence it";
  EXPECT_FALSE(may_fire(hook, {2, 0}, 9'999));
}

TEST(Hook, TravelsInASpec) {
  for (const auto name_of : hook_event_names()) ASSERT_TRUE(parse_hook_event(name_of)) << name_of;
  Spec spec;
  spec.hooks.push_back({.id = "h",
                        .on = HookEvent::stop,
                        .condition = {{"type", "always"}},
                        .action = {{"type", "log"}, {"message", "m"}},
                        .cooldown_ms = 5,
                        .max_fires = 3,
                        .timeout_ms = 9});
  spec.hook_tools = {"Bash"};
  spec.limits.stop_retries = 2;
  const auto back = decode_spec(encode(spec));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->hooks.size(), 1u);
  EXPECT_EQ(to_json(back->hooks[0]), to_json(spec.hooks[0]));
  EXPECT_EQ(back->hook_tools, spec.hook_tools);
  EXPECT_EQ(back->limits.stop_retries, 2);
}

TEST(Grants, ANameBeatsAPrefix) {
  const std::vector<GrantedTool> tools{
      {.name = "mcp_a__*"}, {.name = "mcp_a__rm", .gate = Gate::deny}, {.name = "mcp_a__get", .gate = Gate::approve}};
  EXPECT_TRUE(find_grant(tools, "mcp_a__list"));
  EXPECT_FALSE(find_grant(tools, "mcp_a__rm"));
  EXPECT_EQ(find_grant(tools, "mcp_a__get")->gate, Gate::approve);
  EXPECT_FALSE(find_grant(tools, "mcp_b__list"));
  EXPECT_FALSE(find_grant(tools, ""));
}

}  // namespace
}  // namespace run
