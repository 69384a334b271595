#include "app/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/spec_of.h"
#include "base/json.h"
#include "run/team.h"

namespace app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHead = R"(app: {app_id: a, name: A}
tools:
  modules: {shell: {}, filesystem: {}}
  capabilities: {default_policy: auto, max_risk_level: high, deny: [filesystem.edit], approve: [filesystem.write], grant: [shell.bash]}
)";
constexpr std::string_view kAgent = "agents:\n  - {id: main, brain: {provider: ollama, model: m}}\n";

base::Result<App> read(const std::string& hooks, std::string_view agent = kAgent) {
  const llm::Environment environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "KEY" ? std::optional<std::string>("hunter2") : std::nullopt;
  };
  return parse_app(std::string(kHead) + "runtime:\n  hooks:\n" + hooks + std::string(agent), "app.yaml", environment);
}

std::string problem(const std::string& hook) {
  const auto app = read("    - " + hook + "\n");
  return app ? "" : app.error().message;
}

TEST(Hooks, AreReadInTheOrderInWhichTheyFire) {
  const auto app = read(
      "    - {id: late, priority: 200, condition: always, action: {type: log, message: m}}\n"
      "    - {id: a, on: pre_tool_use, condition: {type: tool_name, match: [bash, 'x']}, cooldown: 1.5, max_fires: 3, timeout: "
      "2,\n"
      "       action: {type: transform_params, transformation: {set: {timeout: 10, name: '007', deep: {on: true, f: 0.5}}, "
      "remove: [x]}}}\n"
      "    - {id: off, enabled: false, condition: always, action: {type: log, message: m}}\n",
      "agents:\n  - id: main\n    brain: {provider: ollama, model: m}\n"
      "    hooks: [{id: own, 'on': tool_end, priority: 1, condition: always, action: {type: pipe, to: shell.bash, map: {command: "
      "'echo {{tool.name}}'}}}]\n");
  ASSERT_TRUE(app) << app.error().message;
  const auto spec = spec_of(app->agents[0]);
  ASSERT_EQ(spec.hooks.size(), 3u);
  EXPECT_EQ(spec.hooks[0].id, "own");
  EXPECT_EQ(base::text_or_empty(spec.hooks[0].action.at("map").get_object(), "command"), "echo {{tool.name}}");
  EXPECT_THAT(spec.hook_tools, ElementsAre("Bash"));
  EXPECT_EQ(spec.hooks[2].id, "late");
  EXPECT_EQ(spec.hooks[2].on, run::HookEvent::turn_end);
  const auto& hook = spec.hooks[1];
  EXPECT_EQ(hook.on, run::HookEvent::tool_start);
  EXPECT_EQ(std::tuple(hook.cooldown_ms, hook.max_fires, hook.timeout_ms), std::tuple(1'500, 3, 2'000));
  EXPECT_EQ(base::to_text(hook.action.at("transformation")),
            R"({"set":{"timeout":10,"name":"007","deep":{"on":true,"f":0.5}},"remove":["x"]})");
  EXPECT_EQ(spec.limits.stop_retries, 2);
}

TEST(Hooks, ProblemsSayWhereAndWhat) {
  const struct {
    const char* hook;
    const char* problem;
  } rows[] = {
      {"{id: h, on: tool_ned, condition: always, action: {type: log, message: m}}",
       "runtime.hooks[0].on: unknown event 'tool_ned', did you mean 'tool_end'? (app.yaml:7:19, DGT-E0304)"},
      {"{id: h, condition: {type: tool_nam}, action: {type: log, message: m}}",
       "unknown condition 'tool_nam', did you mean 'tool_name'?"},
      {"{id: h, condition: {}, action: {type: log, message: m}}", "runtime.hooks[0].condition.type: is required"},
      {"{id: h, condition: {type: tool_name}, action: {type: log, message: m}}", "condition.match: is required"},
      {"{id: h, condition: {type: expression, expr: 'turn >'}, action: {type: log, message: m}}", "DGT-E0305"},
      {"{id: h, condition: {type: any_of, conditions: [always, {type: nevr}]}, action: {type: log, message: m}}",
       "condition.conditions[1]: unknown condition 'nevr'"},
      {"{id: h, condition: {type: not}, action: {type: log, message: m}}", "condition.condition: is required"},
      {"{id: h, condition: always, action: {type: pip, to: x}}", "unknown action 'pip', did you mean 'pipe'?"},
      {"{id: h, condition: always, action: {type: pipe}}", "action.to: is required"},
      {"{id: h, condition: always, action: {type: pipe, to: shell.bsh}}",
       "calls an unknown tool 'shell.bsh', did you mean 'shell.bash'?"},
      {"{id: h, condition: always, action: {type: gate}}", "'gate' belongs to tool_start"},
      {"{id: h, on: tool_start, condition: always, action: {type: transform_result, transformation: {}}}",
       "'transform_result' belongs to tool_end"},
      {"{id: h, condition: always, action: {type: chain, actions: [{type: log}]}}", "action.actions[0].message: is required"},
      {"{id: h, condition: always, action: {type: log, message: '{{env.KEY}}'}}", "must not hold a value of the environment"},
      {"{id: h, on: '{{secret.KEY}}', condition: always, action: {type: log, message: m}}",
       "must not hold a value of the environment"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(problem(row.hook), HasSubstr(row.problem)) << row.hook;
    EXPECT_THAT(problem(row.hook), testing::Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(read("    - {id: h, condition: always, action: {type: log, message: m}}\n    - {id: h, condition: always, action: "
                   "{type: log, message: m}}\n")
                  .error()
                  .message,
              HasSubstr("the id 'h' is taken by an earlier hook"));
}

TEST(Hooks, MayCallWhatTheRulesAllow) {
  const auto app = read(
      "    - {id: a, condition: always, action: {type: pipe, to: filesystem.edit, map: {}}}\n"
      "    - {id: b, condition: always, action: {type: module_action, module: filesystem, action: write}}\n"
      "    - {id: c, condition: always, action: {type: chain, actions: [{type: pipe, to: Read}, {type: shell, command: ls}]}}\n"
      "    - {id: d, condition: always, action: {type: pipe, to: workspace.write}}\n"
      "    - {id: e, condition: always, action: {type: pipe, to: background_run}}\n");
  ASSERT_TRUE(app) << app.error().message;
  EXPECT_THAT(app->agents[0].hook_tools, ElementsAre("Bash", "Read"));
  EXPECT_THAT(app->warnings, testing::IsSupersetOf({HasSubstr("calls filesystem.edit, which is not granted"),
                                                    HasSubstr("calls filesystem.write, which is not granted"),
                                                    HasSubstr("calls workspace.write, which is not available yet"),
                                                    HasSubstr("calls background_run, which is not granted")}));
}

TEST(Team, HoldsWhoeverCanBeAsked) {
  const std::string head = "app: {app_id: a, name: A}\ntools: {modules: {agent_spawn: {}}}\nagents:\n";
  const auto agent = [](std::string id, std::string more) { return "  - {id: " + id + ", brain: {provider: ollama, model: m}" + more + "}\n"; };
  const auto app = parse_app(head + agent("a", ", delegate_to: [b]") + agent("b", ", delegate_to: [c]") + agent("c", ", modules: [filesystem]") + agent("d", ""),
                             "app.yaml", nullptr);
  ASSERT_TRUE(app) << app.error().message;
  const auto spec = spec_of(app->agents[0]);
  EXPECT_THAT(spec.may_ask, ElementsAre("b"));
  ASSERT_EQ(spec.team.size(), 2u) << "b, and c whom b may ask";
  EXPECT_THAT(spec.team[0].may_ask, ElementsAre("c"));
  EXPECT_TRUE(run::find_member(spec, "B"));
  EXPECT_TRUE(run::find_member(spec, "")) << "the only one";
  EXPECT_FALSE(run::find_member(spec, "c"));
  EXPECT_EQ(run::decode_spec(run::encode(spec))->team[1].id, "c");
  EXPECT_THAT(app->agents[3].may_ask, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(app->agents[2].team.empty());
  const auto wrong = parse_app(head + agent("a", ", delegate_to: [bee]") + agent("bees", ""), "app.yaml", nullptr);
  EXPECT_THAT(wrong.error().message, HasSubstr("agents[0].delegate_to[0]: there is no agent 'bee', did you mean 'bees'? (app.yaml:4:"));
}

TEST(Context, SaysWhenAConversationIsShortened) {
  const auto limits = [](const std::string& context) {
    const auto app =
        parse_app(std::string(kHead) + "runtime: {context: " + context + "}\n" + std::string(kAgent), "app.yaml", nullptr);
    EXPECT_TRUE(app) << app.error().message;
    return app ? spec_of(app->agents[0]).limits : run::Limits();
  };
  EXPECT_EQ(limits("{max_tokens: 14096, keep_recent: 4}").context_tokens, 10'000);
  EXPECT_EQ(limits("{max_tokens: 14096}").compact_tokens, 7'500);
  EXPECT_EQ(limits("{max_tokens: 14096, compression_trigger: 0.5}").compact_tokens, 5'000);
  EXPECT_EQ(limits("{max_tokens: 14096, auto_compact: false}").compact_tokens, 0);
  EXPECT_EQ(limits("{keep_recent: 4}").compact_tokens, 0);
  EXPECT_EQ(limits("{keep_recent: 4}").keep_recent, 4);
}

}  // namespace
}  // namespace app
