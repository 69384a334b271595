#include "app/mcp_servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "app/spec_of.h"

namespace app {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class McpServersTest : public testing::Test {
 protected:
  llm::Environment environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "TOKEN" ? std::optional<std::string>("t0ken") : std::nullopt;
  };

  // An app whose servers are this flow-style YAML, with more sections and lines of its one agent.
  static std::string with(const std::string& servers, const std::string& capabilities = "", const std::string& agent = "") {
    return "app: {app_id: a, name: A}\nagents:\n  - id: main\n    brain: {provider: openai, model: m}\n" + agent +
           "tools:\n  modules: {mcp: {config: {servers: " + servers + "}}}\n" +
           (capabilities.empty() ? "" : "  capabilities: " + capabilities + "\n");
  }
  App load(const std::string& yaml) {
    auto app = parse_app(yaml, "app.yaml", environment);
    EXPECT_TRUE(app) << app.error().message;
    return app ? *app : App{.agents = {Agent{}}, .mcp_servers = {McpServer{}}};
  }
  std::string problem(const std::string& servers) {
    const auto app = parse_app(with(servers), "app.yaml", environment);
    EXPECT_FALSE(app) << servers;
    return app ? "" : app.error().message;
  }
  std::string tools(const std::string& servers, const std::string& capabilities, const std::string& agent = "") {
    std::string text;
    const auto app = load(with(servers, capabilities, agent));
    for (const auto& grant : app.agents[0].tools)
      text += (text.empty() ? "" : " ") + grant.name + (grant.gate == Gate::approve ? "?" : grant.gate == Gate::deny ? "!" : "");
    return text;
  }
};

TEST_F(McpServersTest, BothKindsAsAMapOrAList) {
  for (const auto* servers :
       {"{near: {command: prog, args: [-x, 7, '{{env.TOKEN}}'], env: {A: '{{env.TOKEN}}', B: true}, timeout: 2.5}, "
        "far: {transport: streamable_http, url: 'https://x/mcp', headers: {X-K: v}, auth: '{{env.TOKEN}}'}}",
        "[{name: near, command: prog, args: [-x, 7, '{{env.TOKEN}}'], env: {A: '{{env.TOKEN}}', B: true}, timeout: 2.5}, "
        "{far: {url: 'https://x/mcp', headers: {X-K: v}, auth: 'Bearer t0ken'}}]"}) {
    const auto app = load(with(servers));
    ASSERT_EQ(app.mcp_servers.size(), 2u);
    const auto& [near, far] = std::tie(app.mcp_servers[0], app.mcp_servers[1]);
    EXPECT_EQ(near.name, "near");
    EXPECT_EQ(near.transport, McpServer::Transport::stdio);
    EXPECT_EQ(near.command, "prog");
    EXPECT_EQ(near.args, (std::vector<std::string>{"-x", "7", "t0ken"}));
    EXPECT_EQ(near.environment, (std::vector<McpServer::Pair>{{"A", "t0ken"}, {"B", "true"}}));
    EXPECT_EQ(near.timeout_ms, 2'500);
    EXPECT_THAT(near.secrets, Contains("t0ken"));
    EXPECT_EQ(far.transport, McpServer::Transport::http);
    EXPECT_EQ(far.url, "https://x/mcp");
    EXPECT_EQ(far.headers, (std::vector<McpServer::Pair>{{"X-K", "v"}, {"Authorization", "Bearer t0ken"}}));
    EXPECT_THAT(app.warnings, IsEmpty());
    EXPECT_EQ(app.agents[0].mcp_servers, (std::vector<std::string>{"near", "far"}));
  }
}

TEST_F(McpServersTest, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_EQ(problem("{github: {}}"),
            "tools.modules.mcp.config.servers.github: unknown MCP server 'github': give it a command or a url (app.yaml:6:38, "
            "DGT-E0312)");
  EXPECT_THAT(problem("[github]"), HasSubstr("servers[0]: unknown MCP server 'github': give it a command or a url"));
  EXPECT_THAT(problem("{a: {commnd: x}}"),
              HasSubstr("servers.a.commnd: unknown key, did you mean 'command'? (app.yaml:6:42, DGT-E0312)"));
  EXPECT_THAT(problem("{a: {command: x, transport: stdi}}"), HasSubstr("did you mean 'stdio'?"));
  EXPECT_THAT(problem("{a: {url: x, transport: http}}"), HasSubstr("servers.a.url: must begin with http"));
  EXPECT_THAT(problem("{a: {command: x, transport: http}}"), HasSubstr("servers.a.url: is required"));
  EXPECT_THAT(problem("{a: {url: 'http://x', transport: stdio}}"), HasSubstr("servers.a.command: is required"));
  EXPECT_THAT(problem("{a: {url: 'http://x', command: y}}"), HasSubstr("say which by transport"));
  EXPECT_THAT(problem("{a: {command: x, timeout: 0}}"), HasSubstr("servers.a.timeout: must be greater than 0"));
  EXPECT_THAT(problem("{a: {command: x, timeout: 1000000}}"), HasSubstr("must be at most 3600"));
  EXPECT_THAT(problem("{a: {command: x, args: y}}"), HasSubstr("servers.a.args: must be a list"));
  EXPECT_THAT(problem("{a: {command: x, env: {'A=B': c}}}"), HasSubstr("is no name of a variable"));
  EXPECT_THAT(problem("{a: {url: 'http://x', headers: {'A B': c}}}"), HasSubstr("is no name of a header"));
  EXPECT_THAT(problem("{a: {url: 'http://x', headers: {A: \"b\\r\\nC: d\"}}}"), HasSubstr("line break"));
  EXPECT_THAT(problem("{a__b: {command: x}}"), HasSubstr("a server's name is"));
  EXPECT_THAT(problem("{a: {command: x}, A: {command: x}}"), HasSubstr("servers.A: there is a server of this name already"));
  EXPECT_THAT(problem("[{command: x, url: y}]"), HasSubstr("servers[0]: has no name"));
  EXPECT_THAT(problem("text"), HasSubstr("must be a map or a list"));
  for (const auto* servers : {"{a: {}}", "{a: {commnd: x}}", "text"}) EXPECT_THAT(problem(servers), HasSubstr("DGT-E0312"));
}

TEST_F(McpServersTest, WhatHasNoEffectIsWarnedOf) {
  const auto app =
      load(with("{a: {command: x, auth: {type: oauth2}, sandbox: {permissions: []}, headers: {H: v}}, b: {transport: sse, url: "
                "'http://x'}}"));
  ASSERT_EQ(app.mcp_servers.size(), 1u);
  EXPECT_THAT(app.warnings, Contains(HasSubstr("servers.a.auth: has no effect: only a bearer token")));
  EXPECT_THAT(app.warnings, Contains(HasSubstr("servers.a.sandbox: has no effect")));
  EXPECT_THAT(app.warnings, Contains(HasSubstr("servers.a.headers: has no effect")));
  EXPECT_THAT(app.warnings, Contains(HasSubstr("servers.b.transport: 'sse' of MCP 2024-11-05 is not supported")));
}

TEST_F(McpServersTest, AVariableWithoutAValueIsNoProblemYet) {
  const auto app = load(with("{a: {command: x, env: {A: '{{env.TOKEN}}', B: '{{secret.NONE}}'}}, b: {url: '{{env.URL}}'}}"));
  EXPECT_EQ(app.mcp_servers.at(0).unset, "NONE");
  EXPECT_EQ(app.mcp_servers.at(1).unset, "URL");
  EXPECT_THAT(app.warnings, IsEmpty());
}

TEST_F(McpServersTest, RulesAreThoseOfOtherTools) {
  const std::string one = "{a: {command: x}}";
  EXPECT_EQ(tools(one, ""), "mcp_a__*");
  EXPECT_EQ(tools(one, "{default_policy: auto}"), "mcp_a__*");
  EXPECT_EQ(tools(one, "{default_policy: block}"), "");
  EXPECT_EQ(tools(one, "{}"), "mcp_a__*?");
  EXPECT_EQ(tools(one, "{default_policy: auto, max_risk_level: low}"), "");
  EXPECT_EQ(tools(one, "{max_risk_level: low, grant: [mcp_a]}"), "mcp_a__*");
  EXPECT_EQ(tools(one, "{default_policy: block, grant: [mcp]}"), "mcp_a__*");
  EXPECT_EQ(tools(one, "{default_policy: block, grant: [mcp_a.x], approve: [{module: mcp_a, actions: [y, Y]}]}"),
            "mcp_a__x mcp_a__y?");
  EXPECT_EQ(tools(one, "{default_policy: auto, deny: [mcp_a.x]}"), "mcp_a__x! mcp_a__*");
  EXPECT_EQ(tools(one, "{grant: [{module: mcp_a}], deny: [{module: mcp_a, tools: [mcp_a__x]}], approve: [mcp_a.y]}"),
            "mcp_a__x! mcp_a__y? mcp_a__*");
  EXPECT_EQ(tools(one, "{default_policy: auto, hidden_actions: [mcp_a.x]}"), "mcp_a__x! mcp_a__*");
  EXPECT_EQ(tools(one, "{default_policy: auto, hidden_modules: [mcp_a]}"), "");
  EXPECT_EQ(tools(one, "{default_policy: auto, deny: [mcp]}"), "");
  EXPECT_THAT(tools(one, "{default_policy: block, grant: [mcp_a.issues.list]}"), testing::StartsWith("mcp_a__issues_list_"));
}

TEST_F(McpServersTest, AnAgentTakesWhatItAsksFor) {
  const std::string two = "{a: {command: x}, b: {command: x}}";
  EXPECT_EQ(tools(two, "", "    modules: [mcp_b]\n"), "mcp_b__*");
  EXPECT_EQ(tools(two, "", "    modules: [mcp]\n"), "mcp_a__* mcp_b__*");
  EXPECT_EQ(tools(two, "", "    modules: [{mcp_a: [x, y]}]\n"), "mcp_a__x mcp_a__y");
  EXPECT_EQ(tools(two, "", "    modules: [filesystem]\n"), "");
  EXPECT_EQ(tools(two, "{default_policy: auto}", "    capabilities: {default_policy: auto, deny: [mcp_a.x], approve: [mcp_b]}\n"),
            "mcp_a__x! mcp_a__* mcp_b__*?");
}

TEST_F(McpServersTest, ConstraintsOfAServersModuleHold) {
  const auto yaml = [](const std::string& constraints) {
    return "app: {app_id: a, name: A}\nagents:\n  - id: main\n    brain: {provider: openai, model: m}\n"
           "tools:\n  modules:\n    mcp: {config: {servers: {a: {command: x}}}}\n    mcp_a: {constraints: {" +
           constraints + "}}\n";
  };
  const auto names = [&](const std::string& constraints) {
    std::vector<std::string> out;
    for (const auto& grant : load(yaml(constraints)).agents[0].tools)
      out.push_back(grant.name + (grant.gate == Gate::deny ? "!" : ""));
    return out;
  };
  EXPECT_THAT(names("blocked_actions: [x]"), ElementsAre("mcp_a__x!", "mcp_a__*"));
  EXPECT_THAT(names("allowed_actions: [x]"), ElementsAre("mcp_a__x"));
  EXPECT_THAT(names("readonly: true"), IsEmpty());
}

TEST_F(McpServersTest, ARuleForNoServerIsMostLikelyMisspelled) {
  const auto app = load(with("{github: {command: x}, old: {transport: sse, url: 'http://x'}}",
                             "{default_policy: auto, deny: [mcp_gihtub.x, mcp_old.y]}"));
  EXPECT_THAT(app.warnings, Contains(HasSubstr("there is no MCP server for 'mcp_gihtub', did you mean 'mcp_github'?")));
  EXPECT_THAT(app.warnings, Not(Contains(HasSubstr("'mcp_old'"))));
  EXPECT_THAT(app.warnings, Not(Contains(HasSubstr("not available yet"))));
}

TEST_F(McpServersTest, RecoveryOfOneTool) {
  const auto app = load(with("{a: {command: x}}", "{grant: [mcp_a], approve: [mcp_a.y], deny: [mcp_a.z]}",
                             "    recovery: {mcp_a.x: retry, mcp_a__y: ask, mcp_a.z: fail, mcp_b.q: fail, 'mcp_a.*': resume}\n"));
  const auto& tools = app.agents[0].tools;
  std::vector<std::string> told;
  for (const auto& grant : tools)
    told.push_back(grant.name + " " + std::to_string(static_cast<int>(grant.gate)) + (grant.recovery ? "r" : ""));
  EXPECT_THAT(told, ElementsAre("mcp_a__y 1r", "mcp_a__z 2", "mcp_a__x 0r", "mcp_a__* 0r"));
  EXPECT_THAT(app.warnings, Contains(HasSubstr("the agent has no tool 'mcp_a.z'")));
  EXPECT_THAT(app.warnings, Contains(HasSubstr("the agent has no tool 'mcp_b.q'")));
}

TEST_F(McpServersTest, ASpecHasNamesAndNoSecrets) {
  auto app = load(with("{a: {command: x, env: {A: '{{env.TOKEN}}'}}}", "{grant: [mcp_a], deny: [mcp_a.z]}"));
  app.agents[0].file = "/srv/app.yaml";
  const auto text = run::encode(spec_of(app.agents[0]));
  EXPECT_EQ(text.find("t0ken"), std::string::npos);
  const auto spec = run::decode_spec(text);
  ASSERT_TRUE(spec);
  EXPECT_THAT(spec->mcp_servers, ElementsAre("a"));
  EXPECT_EQ(spec->definition.file, "/srv/app.yaml");
  EXPECT_EQ(spec->definition.agent, "main");
  EXPECT_FALSE(spec->definition.has_key);
  EXPECT_EQ(run::find_grant(spec->tools, "mcp_a__z"), nullptr);
  EXPECT_EQ(run::find_grant(spec->tools, "mcp_a__Z"), nullptr);
  EXPECT_NE(run::find_grant(spec->tools, "mcp_a__y"), nullptr);
  EXPECT_EQ(run::find_grant(spec->tools, "mcp_b__y"), nullptr);
}

}  // namespace
}  // namespace app
