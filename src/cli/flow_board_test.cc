#include "cli/flow_board.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(FlowBoard, SaysWhatRunsWhatComesAndHowFarItIs) {
  run::FlowState state;
  state.started_ms = 1'000;
  state.plan.agents = {{.id = "a", .role = "x"}, {.id = "b", .role = "x"}};
  state.plan.operations = {{.id = "o1", .agent_id = "a", .instruction = "1"},
                           {.id = "o2", .agent_id = "a", .instruction = "2"},
                           {.id = "o3", .agent_id = "b", .instruction = "3", .depends_on = {{.op = "o1"}, {.op = "o2"}}},
                           {.id = "o4", .agent_id = "b", .instruction = "4"}};
  state.ops["o1"] = {.phase = run::OpPhase::done, .attempts = 1, .started_ms = 1'000, .ended_ms = 2'000};
  state.ops["o2"] = {.phase = run::OpPhase::running, .attempts = 2, .started_ms = 2'000};
  state.ops["o4"] = {.phase = run::OpPhase::failed, .attempts = 1, .started_ms = 1'000, .ended_ms = 2'000};
  state.usage = {.input_tokens = 10, .output_tokens = 5};
  EXPECT_EQ(flow_board(state, {}, 14'300), (std::vector<std::string>{"  ● o2  a  12.3s  attempt 2", "  ○ o3  b ← o2", "  1/4 done, 1 not · 1 wait · 15 tokens · 13.3s"}));
}

TEST(FlowBoard, AWideFlowDoesNotFillTheTerminal) {
  run::FlowState state;
  for (int i = 0; i < 100; ++i) {
    const auto id = "o" + std::to_string(i);
    state.plan.operations.push_back({.id = id, .agent_id = id, .instruction = "x"});
    if (i < 50) state.ops[id] = {.phase = run::OpPhase::running, .attempts = 1};
  }
  const auto lines = flow_board(state, {}, 1'000);
  EXPECT_LE(lines.size(), 13u);
  EXPECT_EQ(lines[8], "  … and 42 more at work");
}

TEST(FlowBoard, SaysHowAnOperationThatWaitsForAPersonIsAnswered) {
  run::FlowState state;
  state.started_ms = 1'000;
  state.plan.operations = {{.id = "o1", .agent_id = std::string(64, 'a'), .instruction = "1"}, {.id = "o2", .agent_id = "b", .instruction = "2"}};
  state.ops["o1"] = {.phase = run::OpPhase::running, .attempts = 1, .run_id = "20260420T140312-a1b2c3d4e5f6", .started_ms = 1'000};
  state.ops["o2"] = {.phase = run::OpPhase::running, .attempts = 1, .run_id = "another", .started_ms = 1'000};
  auto lines = flow_board(state, {{"20260420T140312-a1b2c3d4e5f6", std::string(64, 'a')}}, 2'000);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[0].ends_with("  1.0s  waits for a decision")) << lines[0];
  EXPECT_EQ(lines[1], "  ● o2  b  1.0s");
  EXPECT_TRUE(lines[2].starts_with("  ? outlast approve 20260420T140312-a1b2c3d4e5f6  aaa")) << lines[2];

  lines = flow_board(state, std::vector<PausedRun>(9, {"below", "c"}), 2'000);
  EXPECT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[5], "  … and 6 more to decide");
}

}  // namespace
}  // namespace cli
