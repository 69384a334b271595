#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "app/definition.h"

namespace app {
namespace {

using testing::Contains;
using testing::HasSubstr;

class AppFileTest : public testing::Test {
 protected:
  llm::Environment environment = [this](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  App load(const std::string& yaml) {
    auto app = parse_app(yaml, "app.yaml", environment);
    EXPECT_TRUE(app) << (app ? "" : app.error().message);
    if (app) return *app;
    App none;
    none.agents.resize(2);
    return none;
  }
  std::string problem(const std::string& yaml) {
    const auto app = parse_app(yaml, "app.yaml", environment);
    EXPECT_FALSE(app);
    if (app) return "";
    EXPECT_EQ(app.error().code, base::Errc::invalid_argument);
    return app.error().message;
  }
  // A whole app whose one agent has these lines more (indented by four).
  static std::string with(const std::string& agent_lines, const std::string& sections = "") {
    return "app: {app_id: a, name: A}\nagents:\n  - id: main\n    brain: {provider: openai, model: m}\n" + agent_lines + sections;
  }
  static std::string tools(const Agent& agent) {
    std::string text;
    for (const auto& grant : agent.tools)
      text += (text.empty() ? "" : " ") + grant.name + (grant.gate == Gate::approve ? "?" : "");
    return text;
  }

  std::map<std::string, std::string, std::less<>> variables;
};

constexpr const char* kAcceptance = R"(app:
  app_id: acceptance
  name: Acceptance
agents:
  - id: main
    role: assistant
    brain:
      provider: openai
      model: scripted
      backend: openai_compat
      config:
        api_key: "not-a-secret"
        base_url: http://127.0.0.1:4711/v1
    system_prompt: Answer as you are told.
    modules: [filesystem, shell]
tools:
  modules:
    filesystem: {}
    shell: {}
  capabilities:
    default_policy: auto
    max_risk_level: high
    grant:
      - module: filesystem
      - module: shell
        actions: [bash]
      - module: context_builder
        actions: [background_run, run_parallel]
)";

TEST_F(AppFileTest, LoadsTheAcceptanceApp) {
  const auto app = load(kAcceptance);
  EXPECT_EQ(app.app_id, "acceptance");
  EXPECT_EQ(app.name, "Acceptance");
  EXPECT_EQ(app.version, "1.0");
  EXPECT_EQ(app.entry_agent, "main");
  EXPECT_EQ(app.work_directory, "");
  ASSERT_EQ(app.agents.size(), 1u);
  const auto& agent = app.agents[0];
  EXPECT_EQ(agent.name, "main");
  EXPECT_EQ(agent.description, "assistant");
  EXPECT_EQ(agent.system_prompt, "Answer as you are told.");
  EXPECT_EQ(agent.brain.provider, "openai");
  EXPECT_EQ(agent.brain.model, "scripted");
  EXPECT_EQ(agent.brain.endpoint.provider, "openai");
  EXPECT_EQ(agent.brain.endpoint.backend, "openai_compat");
  EXPECT_EQ(agent.brain.endpoint.api_key, "not-a-secret");
  EXPECT_EQ(agent.brain.endpoint.base_url, "http://127.0.0.1:4711/v1");
  EXPECT_EQ(tools(agent), "Read Write Edit Glob Grep Bash background_run run_parallel");
  EXPECT_TRUE(app.warnings.empty());
}

TEST_F(AppFileTest, ReadsTheBrain) {
  const auto app = load(
      "app: {app_id: a, name: A}\nagents:\n  - id: main\n    brain:\n      provider: anthropic\n      model: claude-x\n"
      "      backend: anthropic\n      temperature: 0.5\n      top_p: 0.9\n      max_tokens: 300\n      timeout: 1.5\n");
  const auto& brain = app.agents[0].brain;
  EXPECT_EQ(brain.temperature, 0.5);
  EXPECT_EQ(brain.top_p, 0.9);
  EXPECT_EQ(brain.max_tokens, 300);
  EXPECT_EQ(brain.endpoint.timeout_ms, 1'500);
  EXPECT_EQ(brain.endpoint.backend, "anthropic");
  EXPECT_EQ(brain.endpoint.api_key, std::nullopt);
  EXPECT_EQ(brain.effort, "");
}

TEST_F(AppFileTest, AMissingKeyIsNoLoadError) {
  const std::string yaml =
      "app: {app_id: a, name: A}\nagents:\n  - id: main\n    brain: {provider: deepseek, model: m, credential: {ref: r, scope: "
      "per_user}, "
      "config: {api_key: '{{env.DEEPSEEK_API_KEY}}'}}\n";
  const auto app = load(yaml);
  EXPECT_EQ(app.agents[0].brain.endpoint.api_key, std::nullopt);
  EXPECT_TRUE(app.warnings.empty()) << app.warnings[0];
  variables["DEEPSEEK_API_KEY"] = "k";
  EXPECT_EQ(load(yaml).agents[0].brain.endpoint.api_key, "k");
}

TEST_F(AppFileTest, ProviderIdPointsToANamedProvider) {
  const auto app = load(
      "app: {app_id: a, name: A}\nagents: [{id: main, brain: {provider_id: main_one}}]\n"
      "tools: {modules: {llm_provider: {config: {providers: {main_one: {provider: deepseek, backend: openai_compat, api_key: k, "
      "base_url: 'https://x/v1', model: m}}}}}}\n");
  const auto& brain = app.agents[0].brain;
  EXPECT_EQ(brain.provider, "deepseek");
  EXPECT_EQ(brain.model, "m");
  EXPECT_EQ(brain.endpoint.api_key, "k");
  EXPECT_EQ(brain.endpoint.base_url, "https://x/v1");
}

TEST_F(AppFileTest, AgentsInheritTheRuntime) {
  const auto app = load(with("    max_tool_iterations: 7\n  - id: second\n    brain: {provider: openai, model: m}\n",
                             "runtime: {max_turns: 6, timeout: 60, entry_agent: second}\n"));
  EXPECT_EQ(app.entry_agent, "second");
  EXPECT_EQ(app.agents[0].max_turns, 7);
  EXPECT_EQ(app.agents[1].max_turns, 6);
  EXPECT_EQ(app.agents[1].timeout_ms, 60'000);
  EXPECT_EQ(load(with("")).agents[0].max_turns, std::nullopt);
}

TEST_F(AppFileTest, AgentFieldsHaveTheirSynonyms) {
  const auto app = load(with("    prompt: Hello\n    instructions: {specialty: Reviews}\n    role: specialist\n"));
  EXPECT_EQ(app.agents[0].system_prompt, "Hello");
  EXPECT_EQ(app.agents[0].description, "Reviews");
}

TEST_F(AppFileTest, BackgroundTasksHaveTheirSettings) {
  const auto app = load(with("", "runtime: {background: {cap: 3, keep_hours: 0.5, keep_count: 0, on_end: detach}}\n"));
  EXPECT_EQ(app.agents[0].tasks, (run::TaskLimits{.live = 3, .listed = 0, .listed_ms = 1'800'000, .on_end = run::OnEnd::detach}));
  EXPECT_TRUE(app.warnings.empty());
  EXPECT_EQ(load(with("", "runtime: {background: {}}\n")).agents[0].tasks, run::TaskLimits());
  EXPECT_EQ(load(with("", "runtime: {background: {on_end: adopt}}\n")).agents[0].tasks.on_end, run::OnEnd::adopt);
  EXPECT_EQ(problem(with("", "runtime: {background: {on_end: detatch}}\n")),
            "runtime.background.on_end: must be one of: cancel, detach, adopt, did you mean 'detach'? (app.yaml:5:32, DGT-E0104)");
  EXPECT_EQ(problem(with("", "runtime: {background: {cap: 0, keep_hours: 0, keep_count: 10001, keep_days: 1}}\n")),
            "runtime.background.cap: must be at least 1 (app.yaml:5:29, DGT-E0103)\n"
            "runtime.background.keep_hours: must be greater than 0 (app.yaml:5:44, DGT-E0103)\n"
            "runtime.background.keep_count: must be at most 10000 (app.yaml:5:59, DGT-E0103)\n"
            "runtime.background.keep_days: unknown key (app.yaml:5:66, DGT-E0101)");
}

TEST_F(AppFileTest, TheFirstAgentIsTheEntryWithoutAnother) {
  EXPECT_EQ(load(with("  - id: z\n    brain: {provider: openai, model: m}\n")).entry_agent, "main");
  EXPECT_EQ(problem(with("", "runtime: {entry_agent: mian}\n")),
            "runtime.entry_agent: there is no agent 'mian', did you mean 'main'? (app.yaml:5:24, DGT-E0300)");
}

TEST_F(AppFileTest, AgentsGetTheModulesTheyName) {
  const std::string modules = "tools: {modules: {filesystem: {}, memory: {}}, capabilities: {default_policy: auto}}\n";
  const std::string files = "Read Write Edit Glob Grep", memory = "remember set_goal task_create task_update recall forget";
  EXPECT_EQ(tools(load(with("", modules)).agents[0]), files + " " + memory);
  EXPECT_EQ(tools(load(with("    modules: []\n", modules)).agents[0]), files + " " + memory);
  EXPECT_EQ(tools(load(with("    modules: [memory]\n", modules)).agents[0]), memory);
  EXPECT_EQ(tools(load(with("    modules: [{filesystem: [read, Grep]}]\n", modules)).agents[0]), "Read Grep");
  EXPECT_EQ(tools(load(with("    modules: {filesystem: [glob], memory: [Set_Goal]}\n", modules)).agents[0]), "Glob set_goal");
  EXPECT_EQ(tools(load(with("    modules: {filesystem: }\n", modules)).agents[0]), files);
  EXPECT_EQ(tools(load(with("")).agents[0]), "");
  EXPECT_THAT(problem(with("    modules: [filesytem]\n", modules)),
              HasSubstr("unknown module 'filesytem', did you mean 'filesystem'?"));
  EXPECT_THAT(problem(with("    modules: [{filesystem: [red]}]\n", modules)),
              HasSubstr("has no tool 'red', did you mean 'read'?"));
  EXPECT_THAT(problem(with("    modules: {memory: [rememebr]}\n", modules)), HasSubstr("did you mean 'remember'?"));
  EXPECT_TRUE(load(with("", modules)).warnings.empty());
  EXPECT_THAT(load(with("    modules: [shell]\n", modules)).warnings,
              Contains(HasSubstr("'shell' is not declared in tools.modules")));
}

TEST_F(AppFileTest, ModuleConstraintsAreEnforced) {
  const auto offered = [&](const std::string& constraints) {
    return tools(load(with("", "tools: {modules: {filesystem: {constraints: {" + constraints + "}}}}\n")).agents[0]);
  };
  EXPECT_EQ(offered("allowed_actions: [read, glob]"), "Read Glob");
  EXPECT_EQ(offered("blocked_actions: [write, Edit]"), "Read Glob Grep");
  EXPECT_EQ(offered("readonly: true"), "Read Glob Grep");
  EXPECT_EQ(offered("readonly: false"), "Read Write Edit Glob Grep");
  EXPECT_THAT(problem(with("", "tools: {modules: {filesystem: {constraints: {allowed_actions: [raed]}}}}\n")),
              HasSubstr("did you mean 'read'?"));
  EXPECT_THAT(load(with("", "tools: {modules: {filesystem: {constraints: {max_size: 3}}}}\n")).warnings,
              Contains(HasSubstr("max_size: this restriction is not known: it is not enforced")));
  EXPECT_EQ(tools(load(with("", "tools: {modules: {shell: {constraints: {readonly: true}}}}\n")).agents[0]), "Bash") << "for reading";
  EXPECT_EQ(tools(load(with("", "tools: {modules: {shell: {constraints: {blocked_actions: [BASH]}}}}\n")).agents[0]), "");
}

TEST_F(AppFileTest, AnAgentsOwnCapabilitiesOnlyNarrow) {
  const std::string app =
      "tools: {modules: {filesystem: {}}, capabilities: {default_policy: auto, approve: [filesystem.edit]}}\n";
  EXPECT_EQ(tools(load(with("    capabilities: {default_policy: auto, deny: [filesystem.write]}\n", app)).agents[0]),
            "Read Edit? Glob Grep");
  EXPECT_EQ(
      tools(load(with("    capabilities: {default_policy: block, grant: [filesystem.read, filesystem.edit]}\n", app)).agents[0]),
      "Read Edit?");
  // Names of skills are no capabilities.
  EXPECT_EQ(tools(load(with("    capabilities: [git_review]\n", app)).agents[0]), "Read Write Edit? Glob Grep");
  EXPECT_THAT(problem(with("    capabilities: {defualt_policy: auto}\n", app)), HasSubstr("did you mean 'default_policy'?"));
}

TEST_F(AppFileTest, UnknownKeysHaveSuggestions) {
  EXPECT_EQ(problem("app: {app_id: a, name: A}\nagents:\n  - id: main\n    brain:\n      provider: openai\n      modle: m\n"),
            "agents[0].brain.modle: unknown key, did you mean 'model'? (app.yaml:6:7, DGT-E0101)\n"
            "agents[0].brain.model: is required (app.yaml:5:7, DGT-E0100)");
  EXPECT_THAT(problem(with("", "runtme: {}\n")),
              HasSubstr("runtme: unknown key, did you mean 'runtime'? (app.yaml:5:1, DGT-E0101)"));
  EXPECT_THAT(problem(with("", "xyzzy_plugh: {}\n")), HasSubstr("xyzzy_plugh: unknown key (app.yaml"));
  for (const std::string section :
       {"runtime: {max_turn: 1}", "tools: {capabilites: {}}", "security: {sandbox: {levle: x}}", "ui: {greting: x}",
        "dev: {variabels: {}}", "flow: {id: a, entry: b, noeds: []}", "runtime: {triggers: [{id: a, type: cron, shedule: x}]}",
        "runtime: {hooks: [{id: a, condition: {}, action: {}, coldown: 1}]}"})
    EXPECT_THAT(problem(with("", section + "\n")), HasSubstr("unknown key, did you mean")) << section;
}

TEST_F(AppFileTest, OpenPlacesTakeAnyKey) {
  load(with("",
            "tools: {modules: {filesystem: {whatever: 1, config: {any: [thing]}}}}\n"
            "runtime: {hooks: [{id: h, 'on': tool_end, condition: {type: always, anything: 1}, action: {type: log, message: m, "
            "more: 2}}]}\n"));
  load(with("",
            "runtime: {hooks: [{id: h, on: tool_end, condition: always, action: compact_context}, {id: i, true: stop, condition: "
            "never, action: compact_context}]}\n"));
}

TEST_F(AppFileTest, ReportsAllProblemsTogether) {
  const auto text = problem(
      "app: {name: A, color: red}\nschema_version: 9\nruntime: {mode: converstion, max_turns: 0, timeout: -1, workdir_mode: 3}\n"
      "agents:\n  - brain: {provider: openai, model: m, temperature: 3, max_tokens: many}\n  - 7\ntools: []\n");
  for (const auto* part : {"app.app_id: is required (app.yaml:1:6, DGT-E0100)", "app.color: must be a colour", "DGT-E0109",
                           "schema_version: must be 1 or 2 (app.yaml:2:17, DGT-E0107)",
                           "runtime.mode: must be one of: one_shot, conversation, background, pipeline, did you mean "
                           "'conversation'? (app.yaml:3:17, DGT-E0104)",
                           "runtime.max_turns: must be at least 1 (app.yaml:3:41, DGT-E0103)",
                           "runtime.timeout: must be greater than 0", "agents[0].id: is required",
                           "agents[0].brain.temperature: must be at most 2", "agents[0].brain.max_tokens: must be an integer (",
                           "agents[1]: must be a map (app.yaml:6:5, DGT-E0102)", "tools: must be a map, not a list"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST_F(AppFileTest, RefusesWhatIsNoApp) {
  EXPECT_EQ(problem(""), "the file is empty (app.yaml:1:1, DGT-E0004)");
  EXPECT_EQ(problem("just text"), "an app file is a map of sections (app.yaml:1:1, DGT-E0003)");
  EXPECT_EQ(problem("- a\n"), "an app file is a map of sections (app.yaml:1:1, DGT-E0003)");
  EXPECT_EQ(problem("x: 1\n"), "x: unknown key (app.yaml:1:1, DGT-E0101)\napp: is required (app.yaml:1:1, DGT-E0100)");
  EXPECT_THAT(problem("a: [\n"), HasSubstr("DGT-E0001"));
  EXPECT_THAT(problem(with("", "ui: {greeting: a, greeting: b}\n")), HasSubstr("ui.greeting: this key stands here twice"));
}

TEST_F(AppFileTest, AgentIdsAreUnique) {
  EXPECT_EQ(problem(with("  - id: main\n    brain: {provider: openai, model: m}\n")),
            "agents[1].id: the id 'main' is taken by an earlier agent (app.yaml:5:5, DGT-E0400)");
  EXPECT_THAT(
      problem("app: {app_id: a, name: A}\nagents: [{id: " + std::string(129, 'x') + ", brain: {provider: openai, model: m}}]\n"),
      HasSubstr("is longer than 128 bytes"));
}

TEST_F(AppFileTest, GithubCopilotIsRefusedWithTheReason) {
  EXPECT_THAT(
      problem("app: {app_id: a, name: A}\nagents: [{id: m, brain: {provider: openai, model: m, backend: github_copilot}}]\n"),
      HasSubstr("'github_copilot' is not supported: it needs GitHub's own sign-in"));
  EXPECT_THAT(problem("app: {app_id: a, name: A}\nagents: [{id: m, brain: {provider: github_copilot, model: m}}]\n"),
              HasSubstr("DGT-E0309"));
}

TEST_F(AppFileTest, ACodingAgentMayBeTheBrain) {
  const auto app = load("app: {app_id: a, name: A}\nagents: [{id: m, brain: {provider: claude-code, model: opus}}]\n");
  EXPECT_EQ(app.agents.front().brain.provider, "claude");
  EXPECT_THAT(app.warnings, Not(Contains(HasSubstr("provider"))));
}

TEST_F(AppFileTest, UnknownProvidersAreAWarning) {
  EXPECT_THAT(load("app: {app_id: a, name: A}\nagents: [{id: m, brain: {provider: opnai, model: m}}]\n").warnings,
              Contains(HasSubstr("'opnai' is no provider known by name, did you mean 'openai'?")));
  EXPECT_TRUE(
      load("app: {app_id: a, name: A}\nagents: [{id: m, brain: {provider: mine, model: m, config: {base_url: 'http://x/v1'}}}]\n")
          .warnings.empty());
}

TEST_F(AppFileTest, ResolvesTheWorkDirectory) {
  const auto directory = [&](const std::string& workdir) {
    return load(with("", "runtime: {workdir: " + workdir + "}\n")).work_directory;
  };
  variables["PWD"] = "/srv/w/";
  variables["HOME"] = "/home/u";
  EXPECT_EQ(directory("'{{env.PWD}}'"), "/srv/w");
  EXPECT_EQ(directory("/a/../b//c/."), "/b/c");
  EXPECT_EQ(directory("~/x"), "/home/u/x");
  EXPECT_EQ(directory("'{{env.NOPE}}'"), "");
  EXPECT_EQ(directory("data"), std::filesystem::current_path().string() + "/data");
  EXPECT_EQ(directory("''"), "");
}

TEST_F(AppFileTest, FoldsOlderPlaces) {
  const auto app = load(with("",
                             "modules: {filesystem: {}}\ncapabilities: {default_policy: block, grant: [filesystem.read]}\n"
                             "execution: {hooks: [{id: h, condition: always, action: compact_context}]}\n"));
  EXPECT_EQ(tools(app.agents[0]), "Read");
  EXPECT_THAT(app.warnings, Contains(HasSubstr("modules: has moved to tools.modules")));
  EXPECT_THAT(app.warnings, Contains(HasSubstr("execution.hooks: has moved to runtime.hooks")));
  EXPECT_THAT(problem(with("", "modules: {}\ntools: {modules: {}}\n")), HasSubstr("modules: is given as tools.modules too"));
}

TEST_F(AppFileTest, SaysWhatHasNoEffectYet) {
  const auto app = load(with("    skills: [x]\n",
                             "runtime: {mode: background, triggers: [{id: t, type: http}], middleware: []}\n"
                             "security: {sandbox: {level: strict}}\ntools: {channels: {a: {type: log}}}\n"));
  for (const auto* path :
       {"security: has no effect yet", "runtime.triggers: has no effect yet", "runtime.mode: 'background' has no effect yet",
        "tools.channels: has no effect yet", "agents[0].skills: has no effect yet"})
    EXPECT_THAT(app.warnings, Contains(HasSubstr(path)));
  EXPECT_THAT(app.warnings, testing::Not(Contains(HasSubstr("middleware"))));
}

TEST_F(AppFileTest, TemplatesInTypedFields) {
  variables["TURNS"] = "9";
  EXPECT_EQ(load(with("", "runtime: {max_turns: '{{env.TURNS}}'}\n")).agents[0].max_turns, 9);
  EXPECT_EQ(load(with("", "runtime: {max_turns: \"{{env.NOPE ?? '4'}}\"}\n")).agents[0].max_turns, 4);
  EXPECT_EQ(load(with("", "runtime: {max_turns: '{{env.NOPE}}'}\n")).agents[0].max_turns, std::nullopt);
  variables["TURNS"] = "many";
  EXPECT_EQ(problem(with("", "runtime: {max_turns: '{{env.TURNS}}'}\n")),
            "runtime.max_turns: must be an integer (app.yaml:5:22, DGT-E0102)");
}

TEST_F(AppFileTest, ErrorsDoNotQuoteValues) {
  variables["SECRET"] = "hunter2";
  for (const std::string section : {"runtime: {max_turns: '{{secret.SECRET}}'}", "runtime: {mode: '{{secret.SECRET}}'}",
                                    "app: '{{secret.SECRET}}'", "schema_version: '{{secret.SECRET}}'"})
    EXPECT_EQ(problem(section + "\n").find("hunter2"), std::string::npos);
}

TEST_F(AppFileTest, LoadsFromAFile) {
  const auto directory = std::filesystem::temp_directory_path() / ("outlast-app-" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  const auto path = (directory / "app.yaml").string();
  std::ofstream(path) << with("", "runtime: {workdir: data}\n");
  const auto app = load_app(path, environment);
  ASSERT_TRUE(app) << app.error().message;
  EXPECT_EQ(app->work_directory, (directory / "data").string());
  std::ofstream(path) << "x: 1\n";
  EXPECT_THAT(load_app(path, environment).error().message, HasSubstr("(" + path + ":1:1, DGT-E0101)"));
  EXPECT_EQ(load_app(path + "x", environment).error().code, base::Errc::not_found);
  EXPECT_EQ(load_app(directory.string(), environment).error().code, base::Errc::invalid_argument);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace app
