// Real app files (tests/data/app-yaml, see its README): each loads, or fails for the reason that is stated there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "app/definition.h"

namespace app {
namespace {

using testing::Contains;
using testing::HasSubstr;

namespace fs = std::filesystem;

const fs::path kDirectory = fs::path(OUTLAST_TEST_DATA) / "app-yaml";

std::optional<std::string> only_pwd(std::string_view name) {
  return name == "PWD" ? std::optional<std::string>("/srv/app") : std::nullopt;
}

base::Result<App> load(const std::string& name) { return load_app((kDirectory / (name + ".yaml")).string(), only_pwd); }

struct Expected {
  std::string file;
  std::string app_id;
  std::string entry_agent;
  // Per agent "id: tools", "?" behind those that wait for approval.
  std::vector<std::string> agents;
  // Modules that a warning must name.
  std::vector<std::string> missing_modules;
};

const std::vector<Expected>& expected() {
  static const std::string all = "Read Write Edit Glob Grep";
  static const std::string memory = "remember set_goal task_create task_update recall forget";
  static const std::vector<Expected> table = {
      {"advanced-09-background-run__bg-bot__0", "bg-bot", "main", {"main: Bash background_run"}, {}},
      {"advanced-10-run-parallel__parallel-bot__0", "parallel-bot", "main", {"main: Bash run_parallel"}, {}},
      {"advanced-07-hooks-pipe__pipe-bot__0", "pipe-bot", "main", {"main: Bash"}, {"workspace", "preview"}},
      {"advanced-18-hook-chain__tuto-hook-chain__0", "tuto-hook-chain", "main", {"main: Bash " + memory}, {}},
      {"advanced-15-parallel-spawn__tuto-parallel-spawn__0",
       "tuto-parallel-spawn",
       "coordinator",
       {"coordinator: " + memory + " Agent", "analyst: remember"},
       {}},
      {"advanced-01-sub-agent-isolation__isolation-bot__1",
       "isolation-bot",
       "coordinator",
       {"coordinator: " + all + " " + memory + " Agent", "reader: Read Glob Grep " + memory, "writer: " + all + " " + memory},
       {}},
      {"advanced-03-discovery__discovery-bot__0", "discovery-bot", "main", {"main: " + all + " " + memory}, {"web"}},
      {"advanced-19-slash-commands__tuto-slash-commands__0", "tuto-slash-commands", "main", {"main: "}, {}},
      {"advanced-21-rag-kb__tuto-rag-kb__0", "tuto-rag-kb", "main", {"main: "}, {"rag"}},
      {"00-index__my-assistant__0", "my-assistant", "assistant", {"assistant: " + memory}, {}},
      {"index__hello__0", "hello", "assistant", {"assistant: "}, {}},
      {"03-add-a-tool__file-reader__0", "file-reader", "main", {"main: " + all + " " + memory}, {}},
      {"05-background-mode__daily-monitor__0", "daily-monitor", "main", {"main: "}, {}},
      {"15-examples__csv-watcher__9", "csv-watcher", "analyst", {"analyst: Read Glob Grep"}, {}},
      {"15-examples__monitoring-bot__11", "monitoring-bot", "monitor", {"monitor: Read Glob Grep"}, {"http"}},
      {"38-background-sessions__job-matcher__3", "job-matcher", "main", {"main: " + memory}, {"web"}},
      {"22-composition__build-test-deploy__1", "build-test-deploy", "", {}, {}},
      {"15-examples__chat-assistant__0", "chat-assistant", "assistant", {"assistant: " + all}, {}},
      {"15-examples__smart-chat__2", "smart-chat", "assistant", {"assistant: Read Write Glob Grep"}, {}},
      {"15-examples__secure-analyst__7", "secure-analyst", "analyst", {"analyst: Read Glob Grep"}, {"database"}},
      {"15-examples__mcp-multi__12",
       "mcp-multi",
       "assistant",
       {"assistant: Read Glob Grep mcp_slack__list_channels mcp_slack__post_message mcp_slack__search_messages mcp_slack__*? "
        "mcp_github__create_issue? mcp_github__create_pull_request? mcp_github__delete_repository! mcp_github__*? "
        "mcp_brave__search mcp_brave__*?"},
       {}},
      {"15-examples__notion-agent__14", "notion-agent", "assistant", {"assistant: mcp_notion__*?"}, {}},
      {"security-02-gates__gates-bot__0", "gates-bot", "main", {"main: " + all}, {}},
      {"security-06-sandbox__sandbox-bot__0", "sandbox-bot", "main", {"main: " + all + " Bash"}, {}},
      {"06-ui-surfaces__workspace-bot__0", "workspace-bot", "main", {"main: "}, {"workspace", "preview"}},
      {"attach-files-to-chat__chat__2", "chat", "main", {"main: " + memory}, {"rag", "workspace", "preview"}},
      {"attach-files-to-chat__simple-chat__0", "simple-chat", "main", {"main: "}, {"rag"}},
      {"02-app-config__chat__3", "chat", "", {}, {"rag", "workspace", "preview"}},
      {"02-app-config__my-app__1", "my-app", "", {}, {}},
  };
  return table;
}

std::string tools(const Agent& agent) {
  std::string text = agent.id + ": ";
  for (const auto& grant : agent.tools)
    text += (text.ends_with(": ") ? "" : " ") + grant.name +
            (grant.gate == Gate::approve ? "?"
             : grant.gate == Gate::deny  ? "!"
                                         : "");
  return text;
}

TEST(RecordingsTest, EveryFileLoadsAsExpected) {
  for (const auto& row : expected()) {
    SCOPED_TRACE(row.file);
    const auto app = load(row.file);
    ASSERT_TRUE(app) << app.error().message;
    EXPECT_EQ(app->app_id, row.app_id);
    EXPECT_FALSE(app->name.empty());
    EXPECT_EQ(app->entry_agent, row.entry_agent);
    std::vector<std::string> agents;
    for (const auto& agent : app->agents) agents.push_back(tools(agent));
    EXPECT_EQ(agents, row.agents);
    for (const auto& module : row.missing_modules)
      EXPECT_THAT(app->warnings,
                  Contains(HasSubstr("tools.modules." + module + ": module '" + module + "' is not available yet")));
    const auto named = std::count_if(app->warnings.begin(), app->warnings.end(), [](const std::string& w) {
      return w.find("is not available yet: none of") != std::string::npos;
    });
    EXPECT_GE(named, static_cast<std::ptrdiff_t>(row.missing_modules.size()));
    // No key is set, and none was needed; what is written down is taken.
    for (const auto& agent : app->agents) {
      EXPECT_FALSE(agent.brain.model.empty());
      EXPECT_FALSE(agent.system_prompt.empty());
      if (agent.brain.endpoint.api_key) EXPECT_THAT(*agent.brain.endpoint.api_key, testing::AnyOf("ollama", "placeholder"));
    }
  }
}

TEST(RecordingsTest, NoFileIsForgotten) {
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(kDirectory))
    if (entry.path().extension() == ".yaml") files.insert(entry.path().stem().string());
  for (const auto& row : expected()) EXPECT_EQ(files.erase(row.file), 1u) << row.file;
  EXPECT_THAT(files, testing::ElementsAre("middleware__secure-assistant__13"));
}

TEST(RecordingsTest, TheLiteralDotsAreRefusedAtTheBrain) {
  const auto app = load("middleware__secure-assistant__13");
  ASSERT_FALSE(app);
  const auto& text = app.error().message;
  EXPECT_THAT(text, HasSubstr("agents[0].brain"));
  EXPECT_THAT(text, HasSubstr("DGT-E0101"));
  EXPECT_THAT(text, HasSubstr("DGT-E0100"));
  // Nothing else is wrong with it.
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    EXPECT_TRUE(text.substr(at, end - at).starts_with("agents[0].brain.")) << text.substr(at, end - at);
    at = end + 1;
  }
}

TEST(RecordingsTest, DetailsOfSingleFiles) {
  const auto bg = load("advanced-09-background-run__bg-bot__0");
  EXPECT_EQ(bg->agents[0].max_turns, 6);
  EXPECT_EQ(bg->agents[0].timeout_ms, 60'000);
  EXPECT_EQ(bg->agents[0].brain.temperature, 0);
  EXPECT_EQ(bg->agents[0].brain.max_tokens, 300);
  EXPECT_EQ(bg->agents[0].brain.endpoint.base_url, "https://api.deepseek.com/v1");
  EXPECT_EQ(bg->agents[0].brain.endpoint.api_key, std::nullopt);
  EXPECT_TRUE(bg->warnings.empty());

  const auto isolation = load("advanced-01-sub-agent-isolation__isolation-bot__1");
  EXPECT_EQ(isolation->agents[2].brain.model, "deepseek-chat") << "the alias of the first agent's brain";

  EXPECT_EQ(load("15-examples__csv-watcher__9")->work_directory, "/srv/app");
  EXPECT_THAT(load("15-examples__chat-assistant__0")->agents[0].system_prompt, HasSubstr("Tu réponds en français."));
  EXPECT_THAT(load("02-app-config__my-app__1")->warnings, Contains(HasSubstr("there is no agent to run")));

  const auto mcp = load("15-examples__mcp-multi__12");
  ASSERT_EQ(mcp->mcp_servers.size(), 3u);
  EXPECT_EQ(mcp->mcp_servers[0].command, "npx");
  EXPECT_EQ(mcp->mcp_servers[0].args, (std::vector<std::string>{"-y", "@anthropic/mcp-server-slack"}));
  EXPECT_EQ(mcp->mcp_servers[0].unset, "SLACK_BOT_TOKEN");
  EXPECT_EQ(mcp->agents[0].mcp_servers, (std::vector<std::string>{"slack", "github", "brave"}));
  EXPECT_THAT(mcp->warnings, Not(Contains(HasSubstr("is not set")))) << "told when the server is started";
  EXPECT_THAT(load("15-examples__notion-agent__14")->warnings, Contains(HasSubstr("servers.notion.auth: has no effect")));
}

}  // namespace
}  // namespace app
