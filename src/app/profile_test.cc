#include "app/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/spec_of.h"
#include "run/recovery.h"

namespace app {
namespace {

using testing::HasSubstr;

const std::string kMemory = " remember set_goal task_create task_update recall forget";

class ProfileTest : public testing::Test {
 protected:
  Agent parse(const std::string& text) {
    auto agent = parse_profile(text, "critic.md", "critic");
    EXPECT_TRUE(agent) << (agent ? "" : agent.error().message);
    return agent ? *agent : Agent();
  }
  std::string problem(const std::string& text) {
    const auto agent = parse_profile(text, "critic.md", "critic");
    EXPECT_FALSE(agent);
    return agent ? "" : agent.error().message;
  }
  static std::string tools(const Agent& agent) {
    std::string text;
    for (const auto& grant : agent.tools)
      text += (text.empty() ? "" : " ") + grant.name + (grant.gate == Gate::approve ? "?" : "");
    return text;
  }
};

TEST_F(ProfileTest, WithoutFrontMatterAllIsSystemPrompt) {
  const auto agent = parse("You are a critic.\n\n--- not a fence\nBe brief.\n");
  EXPECT_EQ(agent.id, "critic");
  EXPECT_EQ(agent.name, "critic");
  EXPECT_EQ(agent.system_prompt, "You are a critic.\n\n--- not a fence\nBe brief.");
  EXPECT_EQ(agent.brain.model, "");
  EXPECT_EQ(tools(agent), "Read Write? Edit? Glob Grep Bash?" + kMemory + " Agent?");
}

TEST_F(ProfileTest, RecoveryIsAWordOrAMapByTool) {
  EXPECT_EQ(parse("---\nrecovery: ask\n---\n").recovery, run::Recovery::ask);
  EXPECT_EQ(parse("x").recovery, std::nullopt);
  const auto agent = parse("---\nrecovery: {default: continue-with-partial, bash: fail, filesystem.edit: retry}\n---\n");
  EXPECT_EQ(agent.recovery, run::Recovery::continue_with_partial);
  const auto spec = spec_of(agent);
  EXPECT_EQ(spec.recovery, run::Recovery::continue_with_partial);
  EXPECT_EQ(run::policy_of(spec, "Bash"), run::Recovery::fail);
  EXPECT_EQ(run::policy_of(spec, "Edit"), run::Recovery::retry);
  EXPECT_EQ(run::policy_of(spec, "Write"), run::Recovery::continue_with_partial);
  const auto back = run::decode_spec(run::encode(spec));
  ASSERT_TRUE(back);
  EXPECT_EQ(run::policy_of(*back, "Bash"), run::Recovery::fail);

  EXPECT_THAT(problem("---\nrecovery: rety\n---\n"), HasSubstr("recovery: must be one of: resume, retry, ask, fail, continue-with-partial, did you mean 'retry'?"));
  EXPECT_THAT(problem("---\nrecovery: {Bsh: fail}\n---\n"), HasSubstr("recovery.Bsh: there is no tool 'Bsh', did you mean 'Bash'?"));
  EXPECT_THAT(problem("---\nrecovery: {Bash: [fail]}\n---\n"), HasSubstr("recovery.Bash"));
  EXPECT_THAT(parse("---\ntools: [Read]\nrecovery: {Bash: fail}\n---\n").warnings, testing::ElementsAre(HasSubstr("the agent has no tool 'Bash'")));
}

TEST_F(ProfileTest, ReadsTheFrontMatter) {
  const auto agent = parse(
      "---\nmodel: openai/gpt-5.1-high\ntimeout: 90\nrole: reviewer\nname: The Critic\ndescription: Finds faults\nyolo: "
      "true\n---\n\n# You\n\n---\nmore\n");
  EXPECT_EQ(agent.brain.provider, "openai");
  EXPECT_EQ(agent.brain.model, "gpt-5.1");
  EXPECT_EQ(agent.brain.effort, "high");
  EXPECT_EQ(agent.brain.endpoint.provider, "openai");
  EXPECT_EQ(agent.timeout_ms, 90'000);
  EXPECT_EQ(agent.name, "The Critic");
  EXPECT_EQ(agent.description, "Finds faults");
  EXPECT_EQ(agent.system_prompt, "# You\n\n---\nmore");
  EXPECT_EQ(tools(agent), "Read Write Edit Glob Grep Bash" + kMemory + " Agent");
}

TEST_F(ProfileTest, EffortAndProviderStandApartToo) {
  EXPECT_EQ(parse("---\nmodel: openai/gpt-5.1-high\neffort: low\n---\n").brain.effort, "low");
  const auto agent = parse("---\nprovider: openrouter\nmodel: meta/llama\n---\n");
  EXPECT_EQ(agent.brain.provider, "openrouter");
  EXPECT_EQ(agent.brain.model, "meta/llama");
  EXPECT_EQ(parse("---\nprovider: openai\nmodel: openai/gpt\n---\n").brain.model, "gpt");
  EXPECT_EQ(parse("---\neffort: max\n---\n").brain.effort, "max");
  EXPECT_EQ(
      problem("---\nrole: x\neffort: hihg\n---\n"),
      "effort: must be one of: none, minimal, low, medium, high, xhigh, max, did you mean 'high'? (critic.md:3:9, DGT-E0104)");
  EXPECT_THAT(problem("---\nprovider: openai\n---\n"), HasSubstr("model: is required where provider is given"));
}

TEST_F(ProfileTest, ExplainsModelsItCannotUse) {
  EXPECT_THAT(problem("---\nmodel: gemini-code/x-low\n---\n"), HasSubstr("does not support effort levels"));
  EXPECT_THAT(problem("---\nmodel: gpt-5\n---\n"), HasSubstr("names no provider"));
  EXPECT_THAT(problem("---\nmodel: gpt-5\n---\n"), HasSubstr("(critic.md:2:8, DGT-E0309)"));
}

TEST_F(ProfileTest, ReadsTheTools) {
  EXPECT_EQ(tools(parse("---\ntools: [Read, filesystem.write, read]\n---\n")), "Read Write?");
  EXPECT_EQ(tools(parse("---\ntools: Read, Grep,Edit\nbypass: yes\n---\n")), "Read Grep Edit");
  EXPECT_EQ(tools(parse("---\ntools: '*'\n---\n")), "Read Write? Edit? Glob Grep Bash?" + kMemory + " Agent?");
  EXPECT_EQ(tools(parse("---\ntools: []\n---\n")), "");
  const auto agent = parse("---\ntools: [Bash, Read]\n---\n");
  EXPECT_EQ(tools(agent), "Bash? Read");
  EXPECT_THAT(agent.warnings, testing::ElementsAre());
  EXPECT_EQ(problem("---\ntools: [Raed]\n---\n"),
            "tools: there is no tool 'Raed', did you mean 'Read'? (critic.md:2:9, DGT-E0302)");
}

TEST_F(ProfileTest, UnknownKeysHaveSuggestions) {
  EXPECT_EQ(problem("---\nname: x\nmodle: openai/x\n---\n"),
            "modle: unknown key, did you mean 'model'? (critic.md:3:1, DGT-E0101)");
  EXPECT_EQ(problem("---\ntimeout: soon\nyolo: maybe\n---\n"),
            "timeout: must be a number (critic.md:2:10, DGT-E0102)\nyolo: must be true or false (critic.md:3:7, DGT-E0102)");
}

TEST_F(ProfileTest, SurvivesOddFiles) {
  EXPECT_EQ(parse("").system_prompt, "");
  EXPECT_EQ(parse("---\n---\n").system_prompt, "");
  EXPECT_EQ(parse("---\n# only a comment\n---\nbody").system_prompt, "body");
  EXPECT_EQ(parse("\xEF\xBB\xBF---\r\nname: x\r\n---\r\nbody\r\n").name, "x");
  EXPECT_EQ(parse("---\nname: x\n---").system_prompt, "");
  EXPECT_EQ(problem("---\nname: x\n"),
            "the front matter is not closed: a line '---' is missing after it (critic.md:1:1, DGT-E0001)");
  EXPECT_THAT(problem("---"), HasSubstr("not closed"));
  EXPECT_THAT(problem("---\n- a\n---\n"), HasSubstr("must be 'key: value' lines (critic.md:2:1"));
  EXPECT_THAT(problem("---\na: [\n---\n"), HasSubstr("DGT-E0001"));
  EXPECT_THAT(problem("\xff"), HasSubstr("UTF-8"));
  EXPECT_FALSE(parse_profile("x", "f", ""));
}

class FindProfileTest : public testing::Test {
 protected:
  FindProfileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "outlast-profile-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    root = name;
  }
  ~FindProfileTest() override { std::filesystem::remove_all(root); }

  void put(const std::string& path, const std::string& text = "x") {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  // The path below the root, or the message.
  std::string find(const std::string& name, const std::string& cwd, const std::string& home = "home/.outlast") {
    std::filesystem::create_directories(root / cwd);
    const auto found = find_profile(name, (root / cwd).string(), (root / home).string());
    return found ? std::filesystem::relative(*found, root).string() : found.error().message;
  }

  std::filesystem::path root;
};

TEST_F(FindProfileTest, AsksTheGitRootThenUpwardThenHome) {
  put("home/.outlast/agents/a.md");
  EXPECT_EQ(find("a", "repo/src/deep"), "home/.outlast/agents/a.md");
  put("repo/src/.outlast/agents/a.md");
  EXPECT_EQ(find("a", "repo/src/deep"), "repo/src/.outlast/agents/a.md");
  put("repo/src/deep/.outlast/agents/a.md");
  EXPECT_EQ(find("a", "repo/src/deep"), "repo/src/deep/.outlast/agents/a.md");
  put("repo/.git/HEAD");
  put("repo/.outlast/agents/a.md");
  EXPECT_EQ(find("a", "repo/src/deep"), "repo/.outlast/agents/a.md");
}

TEST_F(FindProfileTest, TakesFoldersAndLionagisPlaces) {
  put("w/.lionagi/agents/a.md");
  EXPECT_EQ(find("a", "w"), "w/.lionagi/agents/a.md");
  put("w/.outlast/agents/a/a.md");
  EXPECT_EQ(find("a", "w"), "w/.outlast/agents/a/a.md");
  put("w/.outlast/agents/a.md");
  EXPECT_EQ(find("a", "w"), "w/.outlast/agents/a.md");
  put("home/.lionagi/agents/b.md");
  EXPECT_EQ(find("b", "w"), "home/.lionagi/agents/b.md");
}

TEST_F(FindProfileTest, ListsWhatThereIs) {
  EXPECT_THAT(find("x", "w"), HasSubstr("Agent profile 'x' not found\nAvailable: "));
  put("w/.outlast/agents/zed.md");
  put("w/.outlast/agents/amy/amy.md");
  put("w/.outlast/agents/notes.txt");
  put("w/.outlast/agents/empty/other.md");
  put("home/.outlast/agents/zed.md");
  put("home/.outlast/agents/bob.md");
  EXPECT_THAT(find("x", "w"), HasSubstr("Agent profile 'x' not found\nAvailable: amy, bob, zed"));
}

TEST_F(FindProfileTest, NamesAreNoPaths) {
  put("w/.outlast/secret.md");
  put("w/.outlast/agents/a.md");
  for (const std::string name : {"../secret", "/etc/passwd", "", ".", "..", ".hidden", "a/../a"})
    EXPECT_THAT(find(name, "w"), HasSubstr("not found\nAvailable: ")) << name;
  EXPECT_THAT(find(std::string("a\0b", 3), "w"), HasSubstr("'a?b' not found"));
}

TEST_F(FindProfileTest, LoadsWhatItFinds) {
  put("w/.outlast/agents/critic/critic.md", "---\nname: C\n---\nBe critical.");
  const auto path = root / find("critic", "w");
  const auto agent = load_profile(path.string(), {});
  ASSERT_TRUE(agent) << agent.error().message;
  EXPECT_EQ(agent->id, "critic");
  EXPECT_EQ(agent->name, "C");
  EXPECT_EQ(agent->system_prompt, "Be critical.");
  EXPECT_EQ(load_profile((root / "none.md").string(), {}).error().code, base::Errc::not_found);
}

}  // namespace
}  // namespace app
