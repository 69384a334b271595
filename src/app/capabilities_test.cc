#include "app/capabilities.h"

#include <gtest/gtest.h>

#include <map>

#include "aio/offload.h"
#include "tool/agent_tool.h"
#include "tool/ask_user.h"
#include "tool/memory_tools.h"
#include "tool/shell_tools.h"
#include "tool/task_tools.h"

namespace app {
namespace {

class CapabilitiesTest : public testing::Test {
 protected:
  std::optional<Capabilities> read(const std::string& yaml) {
    Problems own("f.yaml");
    auto root = parse_yaml(yaml, own);
    if (!root) ADD_FAILURE() << own.error().message;
    auto capabilities = read_capabilities(*root, "tools.capabilities", own);
    failure = own.empty() ? "" : own.error().message;
    return capabilities;
  }
  // The tools that are offered, "?" behind those that wait for approval. Of the memory's, which are alike, one speaks for all.
  std::string gates(const std::optional<Capabilities>& capabilities) {
    std::string text;
    for (const auto& tool : known_tools()) {
      if (tool.module == "memory" && tool.action != "remember") continue;
      const auto decided = gate(tool, capabilities);
      if (decided == Gate::deny) continue;
      text += (text.empty() ? "" : " ") + std::string(tool.action) + (decided == Gate::approve ? "?" : "");
    }
    return text;
  }
  std::string gates(const std::string& yaml) { return gates(read(yaml)); }

  std::string failure;
};

TEST_F(CapabilitiesTest, WithoutABlockNothingIsEnforced) {
  EXPECT_EQ(gates(std::nullopt), "read write edit glob grep bash remember agent");
}

TEST_F(CapabilitiesTest, Table) {
  struct Row {
    std::string yaml;
    std::string offered;
  };
  const std::vector<Row> rows = {
      // The default policy, below the default cap: Bash is high.
      {"{}", "read? write? edit? glob? grep? remember? agent?"},
      {"default_policy: auto", "read write edit glob grep remember agent"},
      {"default_policy: approve", "read? write? edit? glob? grep? remember? agent?"},
      {"default_policy: block", ""},
      // The risk cap.
      {"{default_policy: auto, max_risk_level: low}", "read glob grep remember"},
      {"{default_policy: auto, max_risk_level: high}", "read write edit glob grep bash remember agent"},
      // An explicit grant or approval passes the cap.
      {"{default_policy: auto, max_risk_level: low, grant: [{module: shell, actions: [bash]}]}", "read glob grep bash remember"},
      {"{default_policy: auto, max_risk_level: low, grant: [{module: shell}]}", "read glob grep bash remember"},
      {"{default_policy: auto, max_risk_level: low, approve: [{module: shell, actions: [bash]}]}",
       "read glob grep bash? remember"},
      {"{default_policy: block, grant: [{module: filesystem, actions: [write]}]}", "write"},
      // deny > approve > grant > default_policy.
      {"{default_policy: block, grant: [{module: filesystem}], approve: [{module: filesystem, actions: [write]}]}",
       "read write? edit glob grep"},
      {"{default_policy: auto, deny: [{module: filesystem, actions: [write, edit]}]}", "read glob grep remember agent"},
      {"{default_policy: auto, approve: [{module: filesystem}], deny: [{module: filesystem, actions: [write]}]}",
       "read? edit? glob? grep? remember agent"},
      {"{default_policy: auto, deny: [{module: filesystem}]}", "remember agent"},
      {"{default_policy: approve, grant: [{module: filesystem, actions: [read]}]}", "read write? edit? glob? grep? remember? agent?"},
      // Hidden is not offered either.
      {"{default_policy: auto, hidden_modules: [filesystem]}", "remember agent"},
      {"{default_policy: auto, hidden_actions: [{module: filesystem, actions: [grep]}]}", "read write edit glob remember agent"},
      // Other spellings of a rule.
      {"{default_policy: block, grant: [filesystem.read, shell.Bash]}", "read bash"},
      {"{default_policy: block, grant: [filesystem]}", "read write edit glob grep"},
      {"{default_policy: block, grant: [{module: filesystem, tools: [Read, GREP]}]}", "read grep"},
      // Primitives only by name, never by module or policy.
      {"{default_policy: auto, max_risk_level: high, grant: [{module: context_builder}]}",
       "read write edit glob grep bash remember agent"},
      {"{default_policy: block, grant: [{module: context_builder, actions: [background_run, run_parallel]}]}",
       "background_run run_parallel"},
      {"{default_policy: block, approve: [context_builder.background_run]}", "background_run?"},
      {"{default_policy: auto, deny: [{module: context_builder}], grant: [filesystem.read]}",
       "read write edit glob grep remember agent"},
      // The memory's risk is low.
      {"{default_policy: auto, max_risk_level: low, grant: [memory.remember], deny: [filesystem]}", "remember"},
      {"{default_policy: block, approve: [memory]}", "remember?"},
      // Modules that do not exist here may be named.
      {"{default_policy: block, grant: [{module: mcp_github, actions: [anything]}, {module: rag, actions: [query]}]}", ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(gates(row.yaml), row.offered) << row.yaml;
    EXPECT_EQ(failure, "") << row.yaml;
  }
}

TEST_F(CapabilitiesTest, ImpossibleGrants) {
  for (const std::string yaml :
       {"{grant: [{module: filesystem, actions: [write]}], deny: [{module: filesystem, actions: [Write]}]}",
        "{grant: [filesystem.write], deny: [filesystem]}", "{grant: [filesystem], deny: [filesystem]}"}) {
    read(yaml);
    EXPECT_NE(failure.find("tools.capabilities.grant[0]: "), std::string::npos) << yaml;
    EXPECT_NE(failure.find("DGT-E0500"), std::string::npos) << yaml;
  }
  // "All but" is how a deny is meant.
  read("{grant: [filesystem], deny: [filesystem.write]}");
  EXPECT_EQ(failure, "");
}

TEST_F(CapabilitiesTest, NamesMistakes) {
  read("grant:\n  - module: filesytem\n  - {module: filesystem, actions: [raed]}\n");
  EXPECT_EQ(failure,
            "tools.capabilities.grant[0]: unknown module 'filesytem', did you mean 'filesystem'? (f.yaml:2:5, DGT-E0301)\n"
            "tools.capabilities.grant[1]: module 'filesystem' has no tool 'raed', did you mean 'read'? (f.yaml:3:5, DGT-E0302)");
  read("{deny: [filesystem.wrtie], hidden_modules: [shel]}");
  EXPECT_NE(failure.find("has no tool 'wrtie', did you mean 'write'?"), std::string::npos) << failure;
  EXPECT_NE(failure.find("unknown module 'shel', did you mean 'shell'?"), std::string::npos) << failure;
}

TEST_F(CapabilitiesTest, ManyRulesStayCheap) {
  std::string yaml = "grant:\n";
  for (int i = 0; i < 10'000; ++i) yaml += "  - mcp_a.t" + std::to_string(i) + "\n";
  yaml += "deny:\n";
  for (int i = 0; i < 10'000; ++i) yaml += "  - mcp_b.t" + std::to_string(i) + "\n";
  read(yaml);
  EXPECT_EQ(failure, "");
}

TEST_F(CapabilitiesTest, TheStricterGateWins) {
  EXPECT_EQ(stricter(Gate::allow, Gate::allow), Gate::allow);
  EXPECT_EQ(stricter(Gate::allow, Gate::approve), Gate::approve);
  EXPECT_EQ(stricter(Gate::deny, Gate::approve), Gate::deny);
}

// What app files may grant is what the tool layer has.
TEST(CatalogueTest, ListsTheToolsThatExist) {
  aio::Offload offload(1);
  boost::asio::io_context io;
  aio::SystemTime time(io);
  process::Children children(io, time, offload, "/nowhere");
  auto tools = tool::file_tools(offload);
  for (auto& tool : tool::shell_tools(children, offload, time, {})) tools.push_back(std::move(tool));
  for (auto& tool : tool::memory_tools()) tools.push_back(std::move(tool));
  for (auto& tool : tool::task_tools(time)) tools.push_back(std::move(tool));
  tools.push_back(tool::ask_user_tool());
  struct Nobody final : tool::Agents {
    aio::Task<base::Result<tool::AgentView>> launch(const tool::Context&, std::string, std::string) override { co_return tool::AgentView{}; }
    aio::Task<tool::AgentView> wait(std::string) override { co_return tool::AgentView{}; }
    aio::Task<> end_children(std::string) override { co_return; }
  } agents;
  tools.push_back(tool::agent_tool(time, agents));
  const tool::Toolbox toolbox(std::move(tools));
  std::map<std::string, std::string> existing;
  for (const auto* definition : toolbox.definitions()) existing[definition->name] = definition->module + "." + definition->action;
  std::map<std::string, std::string> known;
  for (const auto& tool : known_tools())
    if (tool.exists == Exists::now) known[std::string(tool.name)] = std::string(tool.module) + "." + std::string(tool.action);
  EXPECT_EQ(existing, known);
}

TEST(CatalogueTest, FindsToolsByEachName) {
  for (const auto* name : {"Bash", "bash", "shell.bash", "shell__bash"})
    EXPECT_EQ(find_tool(name), find_tool("shell", "bash")) << name;
  EXPECT_EQ(find_tool("background_run")->module, "context_builder");
  EXPECT_EQ(find_tool("nothing"), nullptr);
  EXPECT_TRUE(known_module("mcp_github"));
  EXPECT_FALSE(known_module("mcp_"));
}

}  // namespace
}  // namespace app
