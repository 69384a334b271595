#include "app/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/limits.h"

namespace app {
namespace {

using testing::HasSubstr;

std::string line_of(std::string_view text) {
  const auto plan = parse_plan_file(text, "plan.yaml");
  return plan ? run::plan_line(*plan) : plan.error().message;
}

constexpr const char* kYaml = R"(agents:
  - id: r1
    role: analyst
    model: claude/opus-high
  - {id: 2, role: "1.10"}
operations:
  - id: o1
    agent_id: r1
    instruction: |
      Look at everything.
      Write notes.md.
    artifacts: notes.md
    timeout: 90
    retries: 2
    fallback: [openai/gpt-5.1]
  - id: o2
    agent: 2
    instruction: 42
    depends_on: [{op: o1, on_failure: run-with-error}]
    control: yes
synthesis: true
)";

TEST(PlanFile, ReadsYaml) {
  const auto plan = parse_plan_file(kYaml, "plan.yaml");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(run::plan_line(*plan), "2 agents, 2 ops — o1:r1 | o2!:2 ← o1");
  EXPECT_EQ(plan->agents[1].role, "1.10");
  EXPECT_EQ(plan->operations[0].instruction, "Look at everything.\nWrite notes.md.\n");
  EXPECT_EQ(plan->operations[0].artifacts, std::vector<std::string>{"notes.md"});
  EXPECT_EQ(plan->operations[0].timeout_ms, 90'000);
  EXPECT_EQ(plan->operations[0].retries, 2);
  EXPECT_EQ(plan->operations[1].instruction, "42");
  EXPECT_EQ(plan->operations[1].depends_on[0].on_failure, run::OnFailure::run_with_error);
  EXPECT_TRUE(plan->synthesis);
}

TEST(PlanFile, ReadsJsonAsJson) {
  EXPECT_EQ(line_of(R"({"agents":[{"id":"a","role":"r"}],"operations":[{"id":"o1","agent_id":"a","instruction":"go\n\/x"}]})"),
            "1 agents, 1 ops — o1:a");
  // Neither is YAML.
  const auto plan = parse_plan_file(
      "{\n\t\"agents\": [{\"id\": \"a\"}],\n\t\"operations\": [{\"id\": \"o1\", \"agent_id\": \"a\", "
      "\"instruction\": \"\\ud83d\\ude00\", \"timeout\": 1.5, \"control\": false}]\n}\n",
      "plan.json");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->operations[0].instruction, "😀");
  EXPECT_EQ(plan->operations[0].timeout_ms, 1500);
  EXPECT_THAT(line_of(R"({"agents":[{"id":"a"}],"operations":[{"id":"\ud83d\ude00","agent_id":"a","instruktion":"x"}]})"),
              HasSubstr("operations[0].instruktion: unknown key, did you mean 'instruction'?"));
}

TEST(PlanFile, ReadsAssignments) {
  EXPECT_EQ(
      line_of(
          "assignments:\n- {task: Look, assignee: reviewer}\n- {task: Fix, assignee: reviewer, depends_on: [1]}\nreason: so\n"),
      "2 agents, 2 ops — o1:reviewer | o2:reviewer-2 ← o1");
  EXPECT_THAT(line_of("assignments:\n- {task: Look}\n"), HasSubstr("assignments[0].assignee: is required (plan.yaml:2:3"));
}

TEST(PlanFile, TellsAllThatIsWrong) {
  const auto problems = line_of(
      "agents:\n- {id: a, rol: x}\noperations:\n- id: o1\n  agent_id: a\n  instruction: x\n  retries: 11\n  timeout: soon\n"
      "  depend_on: [o2]\n  on_failure: skipp\n- id: o2\nbudget: 3\n");
  EXPECT_THAT(problems, HasSubstr("agents[0].rol: unknown key, did you mean 'role'? (plan.yaml:2:"));
  EXPECT_THAT(problems, HasSubstr("operations[0].retries: must be at most 10 (plan.yaml:7:"));
  EXPECT_THAT(problems, HasSubstr("operations[0].timeout: must be a number (plan.yaml:8:"));
  EXPECT_THAT(problems, HasSubstr("operations[0].depend_on: unknown key, did you mean 'depends_on'? (plan.yaml:9:"));
  EXPECT_THAT(problems, HasSubstr("must be one of: stop, skip, run-with-error, did you mean 'skip'? (plan.yaml:10:"));
  EXPECT_THAT(problems, HasSubstr("operations[1].instruction: is required (plan.yaml:11:"));
  EXPECT_THAT(problems, HasSubstr("operations[1].agent_id: is required (plan.yaml:11:"));
  EXPECT_THAT(problems, HasSubstr("budget: unknown key (plan.yaml:12:1"));
}

TEST(PlanFile, SessionsAreNotChosenByFiles) {
  EXPECT_THAT(line_of("agents:\n- {id: a, branch: b}\noperations: []\n"), HasSubstr("agents[0].branch: unknown key"));
}

TEST(PlanFile, RefusesWhatIsNoPlan) {
  EXPECT_THAT(line_of(""), HasSubstr("the file is empty"));
  EXPECT_THAT(line_of("- a\n"), HasSubstr("must be a map"));
  EXPECT_THAT(line_of("just words"), HasSubstr("must be a map"));
  EXPECT_THAT(line_of("a: [\n"), HasSubstr("not valid YAML"));
  EXPECT_THAT(line_of("{\"a\": "), HasSubstr("is a bracket not closed"));
  EXPECT_THAT(line_of("agents: []\nagents: []\noperations: []\n"), HasSubstr("this key stands here twice"));
  EXPECT_EQ(line_of("agents: [{id: a}]\noperations: []\n"), "'plan.yaml' holds no operations");
  EXPECT_EQ(line_of("agents: [{id: a}]\noperations: [{id: o2, agent_id: x, instruction: y}]\n"),
            "Invalid plan: op 'o2' references unknown agent 'x' (known: [a])");
  EXPECT_THAT(line_of(std::string(base::limits::kConfigBytesMax + 1, ' ')), HasSubstr("the file is too big"));
  std::string deep = "{\"agents\":";
  for (int i = 0; i < 1000; ++i) deep += "[";
  deep += std::string(1000, ']') + "}";
  EXPECT_THAT(line_of(deep), HasSubstr("nested deeper"));
}

TEST(PlanFile, IsReadFromDisk) {
  const auto path = std::filesystem::path(testing::TempDir()) / ("plan-" + std::to_string(getpid()) + ".yaml");
  std::ofstream(path) << kYaml;
  const auto plan = load_plan_file(path.string());
  std::filesystem::remove(path);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->operations.size(), 2u);
  const auto gone = load_plan_file(path.string());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, base::Errc::not_found);
  EXPECT_FALSE(load_plan_file("/dev/null"));
}

}  // namespace
}  // namespace app
