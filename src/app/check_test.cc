#include "app/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckTest : public testing::Test {
 protected:
  CheckTest() { std::filesystem::create_directories(directory_); }
  ~CheckTest() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& text) {
    const auto path = (directory_ / name).string();
    std::ofstream(path) << text;
    return path;
  }
  CheckedFile check(const std::string& name, const std::string& text) {
    auto checked = check_file(write(name, text), [](std::string_view) { return std::optional<std::string>(); });
    EXPECT_TRUE(checked) << checked.error().message;
    return std::move(*checked);
  }

  const std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / ("check-" + std::to_string(getpid()));
};

const std::string kAgents = "agents:\n  - id: main\n    brain: {provider: openai, model: m}\n";

TEST_F(CheckTest, ErrorsAreValuesInOrderOfPosition) {
  const auto checked = check("app.yaml", "runtime:\n  max_turns: 0\n  colour: x\napp: {app_id: x, name: X}\nagents:\n  - id: main\n"
                                         "    brain: {provider: openai, modle: m}\n");
  ASSERT_FALSE(checked.ok());
  EXPECT_FALSE(checked.app);
  std::vector<std::string> told;
  for (const auto& error : checked.errors) told.push_back(to_text(error, "f"));
  EXPECT_THAT(told, ElementsAre("runtime.max_turns: must be at least 1 (f:2:14, DGT-E0103)",
                                "runtime.colour: unknown key (f:3:3, DGT-E0101)",
                                "agents[0].brain.model: is required (f:7:12, DGT-E0100)",
                                "agents[0].brain.modle: unknown key, did you mean 'model'? (f:7:31, DGT-E0101)"));
}

TEST_F(CheckTest, AFileWithoutErrorsGivesItsAgentsAndWarnings) {
  const auto checked = check("app.yaml", "app: {app_id: x, name: X}\nflow: {id: f, entry: a}\n" + kAgents);
  ASSERT_TRUE(checked.ok());
  ASSERT_TRUE(checked.app);
  EXPECT_EQ(checked.app->agents.at(0).id, "main");
  ASSERT_EQ(checked.warnings.size(), 1u);
  EXPECT_EQ(checked.warnings[0].path, "flow");
  EXPECT_FALSE(checked.warnings[0].code);
}

TEST_F(CheckTest, TeamsAndWorkflowsAreReserved) {
  const auto checked = check("app.yaml", "app: {app_id: x, name: X}\nteams: [{any: thing}]\nworkflows: {w: 1}\n" + kAgents);
  ASSERT_TRUE(checked.ok());
  std::vector<std::string> told;
  for (const auto& warning : checked.warnings) told.push_back(to_text(warning, "f"));
  EXPECT_THAT(told, ElementsAre("teams: is not available yet (f:2:8)", "workflows: is not available yet (f:3:12)"));
}

TEST_F(CheckTest, AnAppWithoutAgentsIsAWarningWithItsCode) {
  const auto checked = check("app.yaml", "app: {app_id: x, name: X}\n");
  EXPECT_TRUE(checked.ok());
  ASSERT_EQ(checked.warnings.size(), 1u);
  EXPECT_EQ(checked.warnings[0].code, Code::no_entry_agent);
}

TEST_F(CheckTest, AProfileIsAnAppOfOneAgent) {
  const auto checked = check("reviewer.md", "---\nmodel: openai/gpt-5.1\ntools: [Read]\n---\nYou review.\n");
  ASSERT_TRUE(checked.app);
  EXPECT_EQ(checked.app->entry_agent, "reviewer");
  EXPECT_EQ(checked.app->agents.at(0).system_prompt, "You review.");
  const auto wrong = check("wrong.md", "---\nmodle: x\n---\n");
  ASSERT_EQ(wrong.errors.size(), 1u);
  EXPECT_EQ(wrong.errors[0].mark.line, 2);
}

TEST_F(CheckTest, TheBytesThatAreWrongHaveAPlace) {
  EXPECT_EQ(to_text(check("a.yaml", std::string("app: 1\nx: \0", 11)).errors.at(0), "f"),
            "the file contains a NUL byte (f:2:4, DGT-E0001)");
  EXPECT_EQ(to_text(check("b.yaml", "app: 1\n# \xC3\xA9\xFF\n").errors.at(0), "f"),
            "the file is not valid UTF-8 (f:2:5, DGT-E0001)");
  EXPECT_THAT(to_text(check("c.yaml", "app: 1\n" + std::string(5 << 20, '#')).errors.at(0), "f"),
              HasSubstr("too big: more than 4194304 bytes (f:2:4194298, DGT-E0001)"));
  EXPECT_THAT(check("d.md", std::string(5 << 20, '#')).errors.at(0).message, HasSubstr("too big"));
  EXPECT_EQ(to_text(check("e.yaml", "a: 1\n---\nb: 1\n").errors.back(), "f"),
            "the file holds more than one YAML document (f:2:1, DGT-E0001)");
  EXPECT_EQ(to_text(check("g.yaml", "").errors.at(0), "f"), "the file is empty (f:1:1, DGT-E0004)");
}

TEST_F(CheckTest, ATagThatMakesObjectsIsRefused) {
  const auto checked = check("app.yaml", "app: {app_id: x, name: X}\ndev: !!python/object:os.system {}\n" + kAgents);
  ASSERT_EQ(checked.errors.size(), 1u);
  EXPECT_THAT(checked.errors[0].message, HasSubstr("is not supported"));
}

TEST_F(CheckTest, FilesThatAreServedTogetherDefineAnAgentOnce) {
  std::vector<CheckedFile> files;
  files.push_back(check("a.yaml", "app: {app_id: x, name: X}\n" + kAgents));
  files.push_back(check("main.md", "You are main.\n"));
  check_together(files);
  EXPECT_THAT(files[0].errors, IsEmpty());
  ASSERT_EQ(files[1].errors.size(), 1u);
  EXPECT_THAT(files[1].errors[0].message, HasSubstr("'main' is defined in "));
  EXPECT_EQ(files[1].errors[0].code, Code::duplicate_id);
}

TEST_F(CheckTest, NoFileIsNothingToCheck) {
  const auto none = check_file((directory_ / "none.yaml").string(), {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, base::Errc::not_found);
  EXPECT_FALSE(check_file(directory_.string(), {}));
}

}  // namespace
}  // namespace app
