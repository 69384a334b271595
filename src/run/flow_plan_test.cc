#include "run/flow_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <chrono>

#include "base/json.h"

namespace run {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kAudit =
    R"({"agents":[{"id":"r1","role":"analyst"},{"id":"i1","role":"implementer"},{"id":"rv1","role":"reviewer"}],
"operations":[{"id":"o1","agent_id":"r1","instruction":"Look."},
{"id":"o2","agent_id":"i1","instruction":"Fix.","depends_on":["o1"]},
{"id":"o3","agent_id":"rv1","instruction":"Review.","depends_on":["o2"]}]})";

FlowPlan plan_from(std::string_view text) {
  auto plan = parse_plan(text);
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
  return plan.value_or(FlowPlan{});
}

std::string refusal_of(std::string_view text) {
  const auto plan = parse_plan(text);
  EXPECT_FALSE(plan) << text;
  return plan ? "" : plan.error().message;
}

// One agent a; operations as JSON.
std::string with_ops(const std::string& ops) { return R"({"agents":[{"id":"a","role":"r"}],"operations":[)" + ops + "]}"; }

std::string problem(const FlowPlan& plan, const FlowPlan& known = {}) {
  const auto checked = check_plan(plan, known);
  return checked ? "" : checked.error().message;
}

std::string problem_of(const std::string& text) { return problem(plan_from(text)); }

FlowOp op(std::string id, std::vector<FlowEdge> depends_on = {}) {
  return {.id = std::move(id), .agent_id = "a", .instruction = "do", .depends_on = std::move(depends_on)};
}

FlowPlan plan_with(std::vector<FlowOp> ops) { return {.agents = {{.id = "a", .role = "r"}}, .operations = std::move(ops)}; }

std::vector<std::string> ids(const std::vector<FlowOp>& ops) {
  std::vector<std::string> list;
  for (const auto& one : ops) list.push_back(one.id);
  return list;
}

std::string written(const FlowPlan& plan) { return base::to_text(to_json(plan)); }

TEST(FlowPlan, IsFoundInAnAnswer) {
  const std::string plan = kAudit;
  for (const auto& text :
       {plan, "  \n" + plan + "\n", "Here is it:\n```json\n" + plan + "\n```\nGood luck {you}!", "```\n" + plan + "\n```",
        "I thought about {a, b} and [1] and \"quotes: {\" ... then " + plan + " and {\"x\":1}", "{\"plan\":" + plan + "}",
        "{\"reasoning\":\"use {braces}\",\"plan\":" + plan + "}", "An example: {\"operations\":[]}. Mine: " + plan,
        "Not this: {\"agents\":5,\"operations\":7} but " + plan})
    EXPECT_EQ(plan_line(plan_from(text)), "3 agents, 3 ops — o1:r1 | o2:i1 ← o1 | o3:rv1 ← o2") << text;
}

TEST(FlowPlan, AFencedOneBeatsAnExampleBeforeIt) {
  const auto text = with_ops(R"({"id":"x","agent_id":"a","instruction":"do"})") + "\n```json\n" + kAudit + "\n```";
  EXPECT_EQ(plan_from(text).operations.size(), 3u);
}

TEST(FlowPlan, AnAnswerWithoutOneSaysSo) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"operations\":";
  for (const auto& text : {std::string(), std::string("I cannot plan this."), std::string("{}"), std::string("[1,2]"), deep,
                           std::string(R"({"agents":[],"operations":[]})"), std::string(R"({"agents":[{"id":"a"}]})"),
                           std::string(kAudit).substr(0, 200), std::string("{\"operations\":[\xff]}")})
    EXPECT_EQ(refusal_of(text), "Orchestrator produced no flow plan.") << text.substr(0, 100);
}

TEST(FlowPlan, HostileAnswersAreReadInBoundedTime) {
  const auto begin = std::chrono::steady_clock::now();
  for (const auto* piece : {"{\"", "{\"a\":\"", "[{", "{\"a\":[{\"", "```\n{\"a\":"}) {
    std::string text;
    while (text.size() < 4 << 20) text += piece;
    EXPECT_FALSE(parse_plan(text));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));  // with sanitizers, on a busy machine
}

TEST(FlowPlan, ReadsEveryKey) {
  const auto plan = plan_from(
      R"({"agents":[{"id":7,"role":"r","model":"claude/opus-high","guidance":"g","mood":"fine","branch":"b","name":"n"}],
    "operations":[{"id":"o1","agent":7,"instruction":"do","on_failure":"skip","depends_on":["o2",{"op":"o3","on_failure":"run_with_error"},3],
    "guidance":"og","control":true,"timeout":1.5,"retries":2,"fallback":["openai/x"],"artifacts":["a.md",{"path":"b/c.md"}],"color":"red"},
    {"id":"o2","agent_id":"7","instruction":"x","depends_on":"o3, o4","fallback":"demo/story","timeout":null}],"synthesis":true})");
  const auto& agent = plan.agents.at(0);
  EXPECT_EQ(agent.id + agent.role + agent.model + agent.guidance, "7rclaude/opus-highg");
  EXPECT_EQ(agent.branch + agent.name, "") << "a model does not choose sessions";
  const auto& first = plan.operations.at(0);
  EXPECT_EQ(first.agent_id, "7");
  EXPECT_EQ(first.depends_on.at(0).op, "o2");
  EXPECT_EQ(first.depends_on.at(0).on_failure, OnFailure::skip);
  EXPECT_EQ(first.depends_on.at(1).on_failure, OnFailure::run_with_error);
  EXPECT_EQ(first.depends_on.at(2).op, "3");
  EXPECT_TRUE(first.control);
  EXPECT_EQ(first.timeout_ms, 1500);
  EXPECT_EQ(first.retries, 2);
  EXPECT_THAT(first.fallback, ElementsAre("openai/x"));
  EXPECT_THAT(first.artifacts, ElementsAre("a.md", "b/c.md"));
  EXPECT_EQ(first.guidance, "og");
  const auto& second = plan.operations.at(1);
  EXPECT_EQ(second.depends_on.at(1).op, "o4");
  EXPECT_EQ(second.depends_on.at(1).on_failure, OnFailure::stop);
  EXPECT_THAT(second.fallback, ElementsAre("demo/story"));
  EXPECT_EQ(second.timeout_ms, 0);
  EXPECT_TRUE(plan.synthesis);
  EXPECT_EQ(plan_from(with_ops(R"({"id":"o","agent_id":"a","instruction":"x","timeout":0.0001})")).operations[0].timeout_ms, 1);
}

TEST(FlowPlan, NamesTheFieldThatIsWrong) {
  const auto field = [](const std::string& member) {
    return refusal_of(with_ops(R"({"id":"o1","agent_id":"a","instruction":"x",)" + member + "}"));
  };
  EXPECT_EQ(field(R"("retries":11)"), "Invalid plan: op 'o1': 'retries' must be a whole number from 0 to 10");
  EXPECT_EQ(field(R"("retries":"many")"), "Invalid plan: op 'o1': 'retries' must be a whole number from 0 to 10");
  EXPECT_EQ(field(R"("timeout":-1)"), "Invalid plan: op 'o1': 'timeout' must be a number of seconds, 0 for none");
  EXPECT_EQ(field(R"("timeout":1e99)"), "Invalid plan: op 'o1': 'timeout' must be a number of seconds, 0 for none");
  EXPECT_EQ(field(R"("control":3)"), "Invalid plan: op 'o1': 'control' must be true or false");
  EXPECT_EQ(field(R"("guidance":["x"])"), "Invalid plan: op 'o1': 'guidance' must be text");
  EXPECT_EQ(field(R"("depends_on":[["o2"]])"),
            "Invalid plan: op 'o1': 'depends_on' must be a list of op ids or of {op, on_failure}");
  EXPECT_EQ(field(R"("depends_on":[{"on_failure":"skip"}])"),
            "Invalid plan: op 'o1': 'depends_on' must be a list of op ids or of {op, on_failure}");
  EXPECT_EQ(field(R"("on_failure":"explode")"), "Invalid plan: op 'o1': 'on_failure' must be one of: stop, skip, run-with-error");
  EXPECT_EQ(field(R"("artifacts":[1.5])"), "Invalid plan: op 'o1': 'artifacts' must be a list of paths");
  EXPECT_EQ(field(R"("fallback":[{}])"), "Invalid plan: op 'o1': 'fallback' must be a list of texts");
  EXPECT_EQ(refusal_of(R"({"agents":{},"operations":[]})"), "Invalid plan: 'agents' must be a list");
  EXPECT_EQ(refusal_of(R"({"operations":["x"]})"), "Invalid plan: 'operations' must be a list of objects");
  EXPECT_EQ(refusal_of(R"({"operations":[{"instruction":{}}]})"), "Invalid plan: operations[0]: 'instruction' must be text");
  EXPECT_EQ(refusal_of(R"({"operations":[{}],"synthesis":[]})"), "Invalid plan: 'synthesis' must be true or false");
}

TEST(FlowPlan, ReadsTheLaterSchema) {
  const auto plan = plan_from(R"({"assignments":[
    {"task":"Look","assignee":"security reviewer","inputs":["src/","notes.md"],"exit_criteria":"All read","modes":["deep","slow"]},
    {"task":"Fix","assignee":"security reviewer","depends_on":["1"]},
    {"task":"Check","assignee":"../..","depends_on":[1,"o2"]}],"reason":"because"})");
  EXPECT_EQ(plan_line(plan), "3 agents, 3 ops — o1:security-reviewer | o2:security-reviewer-2 ← o1 | o3:agent ← o1,o2");
  EXPECT_EQ(plan.operations[0].instruction, "Look\n\nInputs:\n- src/\n- notes.md\n\nDone when: All read");
  EXPECT_EQ(plan.operations[0].guidance, "Modes: deep, slow");
  EXPECT_EQ(plan.agents[1].role, "security reviewer");
  EXPECT_EQ(problem(plan), "");
  EXPECT_EQ(refusal_of(R"({"assignments":[{"task":"x"}]})"), "Invalid plan: assignments[0]: 'assignee' is missing");
  EXPECT_EQ(problem_of(R"({"assignments":[{"task":"x","assignee":"a","depends_on":["7"]}]})"),
            "Invalid plan: op 'o1' depends on unknown op 'o7' (known: [o1])");
  EXPECT_EQ(problem_of(R"({"assignments":[{"task":" ","assignee":"a","inputs":["x"]}]})"),
            "Invalid plan: op 'o1' has no instruction");
  const auto suffixed = plan_from(
      R"({"assignments":[{"task":"x","assignee":"a-2"},{"task":"x","assignee":"a"},{"task":"x","assignee":"a"},{"task":"x","assignee":"A"}]})");
  EXPECT_EQ(plan_line(suffixed), "4 agents, 4 ops — o1:a-2 | o2:a | o3:a-3 | o4:A");
}

TEST(FlowPlan, RefusesWhatCannotRun) {
  EXPECT_EQ(problem({}), "Orchestrator produced no flow plan.");
  EXPECT_EQ(problem_of(R"({"agents":[{"id":"a"},{"id":"b"}],"operations":[{"id":"o2","agent_id":"x","instruction":"y"}]})"),
            "Invalid plan: op 'o2' references unknown agent 'x' (known: [a, b])");
  EXPECT_EQ(problem_of(R"({"agents":[{"id":"a"},{"id":"a"}],"operations":[{"id":"o","agent_id":"a","instruction":"y"}]})"),
            "Invalid plan: duplicate agent id 'a'");
  EXPECT_EQ(problem(plan_with({op("o1"), op("o1")})), "Invalid plan: duplicate op id 'o1'");
  EXPECT_EQ(problem(plan_with({op("o1", {{"o9"}})})), "Invalid plan: op 'o1' depends on unknown op 'o9' (known: [o1])");
  EXPECT_EQ(problem(plan_with({op("o1", {{"o1"}})})), "Invalid plan: op 'o1' depends on itself");
  EXPECT_EQ(problem(plan_with({op("o1"), op("o2", {{"o1"}, {"o1", OnFailure::skip}})})),
            "Invalid plan: op 'o2' depends on op 'o1' twice");
  EXPECT_EQ(problem(plan_with({op("x", {{"o1"}}), op("o1", {{"o3"}}), op("o2", {{"o1"}}), op("o3", {{"o2"}, {"o4"}}), op("o4")})),
            "Invalid plan: ops wait for each other in a circle: o1 ← o3 ← o2 ← o1");
  auto two = plan_with({op("o1"), op("c1"), op("c2")});
  two.operations[1].control = two.operations[2].control = true;
  EXPECT_EQ(problem(two), "Invalid plan: more than one control op: 'c1' and 'c2'");
  auto after = plan_with({op("c1"), op("o1", {{"c1"}})});
  after.operations[0].control = true;
  EXPECT_EQ(problem(after), "Invalid plan: op 'o1' depends on the control op 'c1', which comes after all others of its round");
  EXPECT_EQ(problem(plan_with({op("o2", {{"o1"}}), op("o1")})), "") << "the order of listing does not matter";
  EXPECT_EQ(problem(plan_with({op("o1"), op("O1")})), "");
}

TEST(FlowPlan, IdsAreDirectoryNames) {
  const std::string why = "has an id that is no directory name: use A-Z a-z 0-9 . _ - and begin with a letter, digit or _";
  for (const auto* id : {".", "..", ".hidden", "-rf", "a/b", "../x", "a b", "a\nb", "\xff", "é"}) {
    EXPECT_THAT(problem(plan_with({op(id)})), HasSubstr(why)) << id;
    auto plan = plan_with({op("o1")});
    plan.agents[0].id = plan.operations[0].agent_id = id;
    EXPECT_THAT(problem(plan), HasSubstr(why)) << id;
  }
  EXPECT_EQ(problem(plan_with({op("a\nb")})), "Invalid plan: op 'a?b' " + why);
  EXPECT_EQ(problem(plan_with({op("")})), "Invalid plan: operations[0] has no id");
  EXPECT_THAT(problem(plan_with({op(std::string(65, 'x'))})), HasSubstr("has an id longer than 64 bytes"));
  EXPECT_EQ(problem(plan_with({op(std::string(64, 'x'))})), "");
  for (const auto* id : {"flow.log", "flow.log.1", "synthesis.md", "flow_dag.png"}) {
    auto plan = plan_with({op("o1")});
    plan.agents[0].id = plan.operations[0].agent_id = id;
    EXPECT_EQ(problem(plan), "Invalid plan: agent '" + std::string(id) + "' has the name of a file of the flow");
  }
}

TEST(FlowPlan, TextsAreBoundedAndWhole) {
  const auto with = [](auto change) {
    auto plan = plan_with({op("o1")});
    change(plan.agents[0], plan.operations[0]);
    return problem(plan);
  };
  EXPECT_EQ(with([](auto&, auto& o) { o.instruction = " \n"; }), "Invalid plan: op 'o1' has no instruction");
  EXPECT_EQ(with([](auto&, auto& o) { o.instruction = "a\xff"; }), "Invalid plan: op 'o1': its instruction is not valid UTF-8");
  EXPECT_EQ(with([](auto&, auto& o) { o.guidance = std::string("a\0b", 3); }),
            "Invalid plan: op 'o1': its guidance holds a NUL character");
  EXPECT_EQ(with([](auto&, auto& o) { o.instruction.assign(kFlowTextBytesMax + 1, 'x'); }),
            "Invalid plan: op 'o1': its instruction is longer than 262144 bytes");
  EXPECT_EQ(with([](auto& a, auto&) { a.role = "x\x1b[2J"; }),
            "Invalid plan: agent 'a': its role holds a line break or another control character");
  EXPECT_EQ(with([](auto& a, auto&) { a.model.assign(129, 'm'); }),
            "Invalid plan: agent 'a': its model is longer than 128 bytes");
  EXPECT_EQ(with([](auto&, auto& o) { o.fallback = {""}; }), "Invalid plan: op 'o1': a fallback model is empty");
  EXPECT_EQ(with([](auto&, auto& o) { o.fallback.assign(11, "m"); }), "Invalid plan: op 'o1' has more than 10 fallback models");
  EXPECT_EQ(with([](auto&, auto& o) { o.artifacts.assign(65, "m"); }), "Invalid plan: op 'o1' has more than 64 artifacts");
  EXPECT_EQ(with([](auto&, auto& o) { o.retries = 11; }), "Invalid plan: op 'o1': its retries are not from 0 to 10");
  const std::string long_path(513, 'x');
  for (const auto* path : {"/etc/passwd", "~/x", "../x", "a/../../x", "", " ", "a/", ".", "a\nb", "\xff", long_path.c_str()})
    EXPECT_THAT(with([&](auto&, auto& o) { o.artifacts = {path}; }), HasSubstr("Invalid plan: op 'o1': the artifact ")) << path;
  for (const auto* path : {"a.md", "./a", "a/b..c/d", "..a"})
    EXPECT_EQ(with([&](auto&, auto& o) { o.artifacts = {path}; }), "") << path;
  std::vector<FlowOp> big;
  for (int i = 0; i < 9; ++i) big.push_back(op("o" + std::to_string(i))), big.back().instruction.assign(kFlowTextBytesMax, 'x');
  EXPECT_EQ(problem(plan_with(std::move(big))), "Invalid plan: it is longer than 2097152 bytes");
}

TEST(FlowPlan, EarlierRoundsCount) {
  const auto known = plan_with({op("o1")});
  EXPECT_EQ(problem({.operations = {op("o2", {{"o1"}})}}, known), "");
  EXPECT_EQ(problem({.operations = {op("o1")}}, known), "Invalid plan: duplicate op id 'o1'");
  EXPECT_EQ(problem(plan_with({op("o2")}), known), "Invalid plan: duplicate agent id 'a'");
  auto other = op("o2");
  other.agent_id = "x";
  EXPECT_EQ(problem({.operations = {other}}, known), "Invalid plan: op 'o2' references unknown agent 'x' (known: [a])");
  std::vector<FlowOp> many;
  for (int i = 0; i < 200; ++i) many.push_back(op("n" + std::to_string(i)));
  EXPECT_EQ(problem(plan_with(many)), "");
  EXPECT_EQ(problem({.operations = many}, known), "Invalid plan: 201 ops, at most 200 are possible");
}

TEST(FlowPlan, LinesAreFrozen) {
  auto plan = plan_from(kAudit);
  plan.agents[1].model = "claude/opus";
  plan.agents[1].guidance = std::string(79, 'g') + "éx";
  plan.operations.push_back({.id = "o4",
                             .agent_id = "r1",
                             .instruction = "Two\nlines",
                             .guidance = "short",
                             .depends_on = {{"o1"}, {"o3"}},
                             .control = true});
  EXPECT_EQ(plan_line(plan), "3 agents, 4 ops — o1:r1 | o2:i1 ← o1 | o3:rv1 ← o2 | o4!:r1 ← o1,o3");
  EXPECT_EQ(plan_line(plan_with({op("o1")})), "1 agents, 1 ops — o1:a");
  EXPECT_EQ(dry_run_text(plan, {"m/a (default)", "claude/opus (plan)", "m/b (profile)"}),
            "FlowPlan (3 agents, 4 ops, synthesis=False)\n\nAgents:\n  r1: analyst\n  i1: implementer\n    model: claude/opus\n"
            "    guidance: " +
                std::string(79, 'g') +
                "é...\n  rv1: reviewer\n\nOperations:\n"
                "  o1 → r1\n    instruction: Look....\n\n"
                "  o2 → i1\n    instruction: Fix....\n  depends_on: o1\n\n"
                "  o3 → rv1\n    instruction: Review....\n  depends_on: o2\n\n"
                "  o4 → r1 [CONTROL]\n    instruction: Two lines...\n  depends_on: o1, o3\n    guidance: short...\n\n"
                "Model resolution:\n  r1: m/a (default)\n  i1: claude/opus (plan)\n  rv1: m/b (profile)\n");
}

TEST(FlowPlan, TruncatesWithDependents) {
  auto plan = plan_from(R"({"agents":[{"id":"a"},{"id":"b"}],"operations":[
    {"id":"o1","agent_id":"a","instruction":"x","depends_on":["o4"]},{"id":"o2","agent_id":"a","instruction":"x"},
    {"id":"o3","agent_id":"a","instruction":"x","depends_on":["o1"]},{"id":"o4","agent_id":"b","instruction":"x"}]})");
  auto whole = plan;
  EXPECT_EQ(truncate_plan(whole, 4), 0u);
  EXPECT_EQ(truncate_plan(plan, 3), 3u);
  EXPECT_EQ(plan_line(plan), "1 agents, 1 ops — o2:a");
}

TEST(FlowPlan, NamesAgentsByRole) {
  FlowPlan known{.agents = {{.id = "k", .role = "r"}}, .operations = {}};
  name_agents(known);
  FlowPlan plan{.agents = {{.id = "1", .role = "r"}, {.id = "2", .role = "s"}, {.id = "3", .role = "r"}, {.id = "4", .role = ""}},
                .operations = {}};
  name_agents(plan, known);
  std::vector<std::string> names;
  for (const auto& agent : plan.agents) names.push_back(agent.name);
  EXPECT_THAT(names, ElementsAre("r-2", "s", "r-3", "4"));
}

TEST(FlowPlan, AddsWhatIsNew) {
  const auto known = plan_with({op("o1"), op("o2")});
  auto more = plan_from(R"({"agents":[{"id":"a","role":"r"},{"id":"b","role":"s"},{"id":"idle"}],"operations":[
    {"id":"o6","agent_id":"a","instruction":"x","depends_on":["o5"]},{"id":"o1","agent_id":"a","instruction":"again"},
    {"id":"o3","agent_id":"b","instruction":"x","depends_on":["o1"]},{"id":"o4","agent_id":"a","instruction":"x","depends_on":["o3"]},
    {"id":"o5","agent_id":"ghost","instruction":"x"},{"id":"o7","agent_id":"a","instruction":"x","depends_on":["o6"]},
    {"id":"c1","agent_id":"a","instruction":"x","control":true},{"id":"c2","agent_id":"a","instruction":"x","control":true},
    {"id":"o8","agent_id":"a","instruction":"x","depends_on":["c1"]},{"id":"o4","agent_id":"a","instruction":"twice"}]})");
  const auto added = added_plan(std::move(more), known);
  EXPECT_EQ(plan_line(added.plan), "1 agents, 3 ops — o3:b ← o1 | o4:a ← o3 | c1!:a");
  EXPECT_THAT(added.left_out,
              UnorderedElementsAre("op 'o1' is left out: its id is known already", "op 'o5' is left out: unknown agent 'ghost'",
                                   "op 'c2' is left out: op 'c1' is the round's control op",
                                   "op 'o4' is left out: its id is known already", "op 'o6' is left out: unknown dependency 'o5'",
                                   "op 'o8' is left out: it depends on its own round's control op 'c1'",
                                   "op 'o7' is left out: unknown dependency 'o6'"));
  EXPECT_EQ(problem(added.plan, known), "");
  const auto changed = added_plan(
      plan_from(R"({"agents":[{"id":"a","role":"other"}],"operations":[{"id":"o9","agent_id":"a","instruction":"x"}]})"), known);
  EXPECT_THAT(changed.left_out, ElementsAre("agent 'a' stays as it was planned first"));
  EXPECT_THAT(changed.plan.agents, IsEmpty());
}

TEST(FlowPlan, KnowsWhatIsUpstream) {
  const auto plan = plan_with({op("o3", {{"o2"}}), op("o1"), op("o2", {{"o1"}}), op("o4")});
  EXPECT_EQ(upstream_of(plan, "o3"), (std::set<std::string>{"o1", "o2"}));
  EXPECT_EQ(upstream_of(plan, "o4"), std::set<std::string>{});
  EXPECT_EQ(upstream_of(plan, "nowhere"), std::set<std::string>{});
  EXPECT_EQ(upstream_of(plan_with({op("a", {{"b"}}), op("b", {{"a"}})}), "a"), (std::set<std::string>{"a", "b"}));
}

TEST(FlowVerdict, IsRead) {
  const auto verdict = parse_verdict(
      "All fine?\n```json\n{\"verdict\":{\"should_continue\":true,\"reason\":\"r\",\"next_steps\":[\"a\",\"b\"]}}\n```");
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->should_continue);
  EXPECT_EQ(verdict->reason, "r");
  EXPECT_EQ(verdict->next_steps, "- a\n- b");
  EXPECT_FALSE(parse_verdict(R"({"should_continue":"False","reason":"r","next_steps":null})")->should_continue);
  EXPECT_EQ(parse_verdict("done").error().message, "Control op produced no verdict.");
  for (const auto* value : {"3", "null", "\"perhaps\""})
    EXPECT_EQ(parse_verdict("{\"should_continue\":" + std::string(value) + "}").error().message,
              "Invalid verdict: 'should_continue' must be true or false");
}

TEST(FlowRequests, BecomeAPlan) {
  const std::string list =
      R"([{"instruct":{"instruction":"A","context":{"k":1},"guidance":"g"},"model":"m/x"},{"instruct":"B"},{"instruction":"C","context":"c"}])";
  for (const auto& text :
       {list, "{\"requests\":" + list + "}", "Here:\n" + list + " [done]", "{\"agent_requests\":" + list + "}"}) {
    const auto plan = parse_requests(text);
    ASSERT_TRUE(plan) << text;
    EXPECT_EQ(plan_line(*plan), "3 agents, 3 ops — o1:worker-1 | o2:worker-2 | o3:worker-3");
    EXPECT_EQ(plan->operations[0].instruction, "A\n\nContext:\n{\"k\":1}");
    EXPECT_EQ(plan->operations[0].guidance + plan->agents[0].model, "gm/x");
    EXPECT_EQ(plan->operations[1].instruction, "B");
    EXPECT_EQ(plan->operations[2].instruction, "C\n\nContext:\nc");
    EXPECT_EQ(problem(*plan), "");
  }
  EXPECT_EQ(parse_requests("none").error().message, "Orchestrator produced no agent requests.");
  EXPECT_EQ(parse_requests(R"({"requests":[{"model":"x"}]})").error().message,
            "Invalid requests: requests[0]: 'instruction' is missing");
  EXPECT_EQ(parse_requests(R"({"requests":[5]})").error().message, "Invalid requests: requests[0] must be an object");
}

// Operations in any order of listing, each of which depends on some that come before it in another order.
FlowPlan arbitrary_plan() {
  FlowPlan plan;
  const auto agents = *rc::gen::inRange(1, 5), ops = *rc::gen::inRange(1, 30);
  for (int i = 0; i < agents; ++i)
    plan.agents.push_back({.id = "a" + std::to_string(i),
                           .role = *rc::gen::element<std::string>("x", "y", "é \"z\""),
                           .guidance = *rc::gen::element<std::string>("", "g\n\\")});
  for (int i = 0; i < ops; ++i) {
    FlowOp one{
        .id = "o" + std::to_string(i), .agent_id = "a" + std::to_string(*rc::gen::inRange(0, agents)), .instruction = "do"};
    for (int on = 0; on < i; ++on)
      if (*rc::gen::inRange(0, 4) == 0)
        one.depends_on.push_back(
            {"o" + std::to_string(on), *rc::gen::element(OnFailure::stop, OnFailure::skip, OnFailure::run_with_error)});
    one.timeout_ms = *rc::gen::element<std::int64_t>(0, 1, 1500, 60'000, 999'999'999'999);
    one.retries = *rc::gen::inRange(0, 11);
    plan.operations.push_back(std::move(one));
  }
  const auto rotation = *rc::gen::inRange(0, ops);
  std::ranges::rotate(plan.operations, plan.operations.begin() + rotation);
  std::ranges::reverse(plan.operations);
  plan.synthesis = *rc::gen::arbitrary<bool>();
  return plan;
}

RC_GTEST_PROP(FlowPlanProperty, ComesBackFromJson, ()) {
  auto plan = arbitrary_plan();
  name_agents(plan);
  plan.agents[0].branch = "b";
  RC_ASSERT(check_plan(plan).has_value());
  const auto again = plan_of(base::parse_json(written(plan))->as_object());
  RC_ASSERT(again.has_value());
  RC_ASSERT(written(*again) == written(plan));
}

RC_GTEST_PROP(FlowPlanProperty, TruncationLeavesNothingDangling, ()) {
  auto plan = arbitrary_plan();
  const auto before = ids(plan.operations);
  const auto max = *rc::gen::inRange<std::size_t>(0, before.size() + 1);
  const auto cut = truncate_plan(plan, max);
  RC_ASSERT(plan.operations.size() + cut == before.size());
  RC_ASSERT(plan.operations.size() <= max);
  RC_ASSERT(plan.operations.empty() || check_plan(plan).has_value());
}

TEST(FlowPlan, IsCheckedInTime) {
  // More operations than are allowed, as if known ones did not count: the work is what matters.
  std::vector<FlowOp> ops;
  for (int i = 0; i < 200; ++i) {
    ops.push_back(op("o" + std::to_string(i)));
    for (int on = 0; on < i; ++on) ops.back().depends_on.push_back({"o" + std::to_string(on)});
  }
  const auto plan = plan_with(std::move(ops));  // 19,900 edges
  auto large = plan;
  for (int i = 200; i < 500; ++i)
    large.operations.push_back(op("o" + std::to_string(i), {{"o" + std::to_string(i - 1)}, {"o0"}}));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(problem(plan), "");
  EXPECT_EQ(problem(large), "Invalid plan: 500 ops, at most 200 are possible");
  EXPECT_EQ(plan_of(to_json(large))->operations.size(), 500u);
  EXPECT_EQ(upstream_of(large, "o499").size(), 499u);
  EXPECT_EQ(added_plan(large, {}).plan.operations.size(), 500u);
  EXPECT_EQ(truncate_plan(large, 1), 499u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));  // a tenth of it alone, with sanitizers
}

}  // namespace
}  // namespace run
