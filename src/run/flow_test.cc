#include "run/flow_fixture.h"

namespace run {
namespace {

TEST(Flow, TheElevenLines) {
  World w;
  EXPECT_EQ(w.go(), Ops{"@plan"});
  w.end("@plan", std::string(kChain), 1'800);
  EXPECT_EQ(w.go(), Ops{"o1"});
  w.end("o1", "found", 9'400);
  EXPECT_EQ(w.go(), Ops{"o2"});
  w.end("o2", "made", 21'000);
  EXPECT_EQ(w.go(), Ops{"o3"});
  w.end("o3", "fine", 14'600);
  EXPECT_EQ(w.go(), Ops{});
  EXPECT_EQ(w.state.status, Status::completed);
  EXPECT_EQ(w.log,
            "Planning DAG...\n"
            "Plan done (1.8s): 3 agents, 3 ops — o1:r1 | o2:i1 ← o1 | o3:rv1 ← o2\n"
            "Executing DAG: 3 agents / 3 ops...\n"
            "  ▶ r1 started\n"
            "  ✓ r1 done (9.4s)\n"
            "  ▶ i1 started\n"
            "  ✓ i1 done (21.0s)\n"
            "  ▶ rv1 started\n"
            "  ✓ rv1 done (14.6s)\n"
            "Saved to /save\n"
            "Total: 46.8s\n");
  EXPECT_EQ(flow_content(w.state), "fine");
  EXPECT_EQ(w.state.usage.total(), 4 * 15);
}

TEST(Flow, AnyPrefixOfTheLogGoesOnTheSameWay) {
  World w;
  w.plan();
  for (const auto* op : {"o1", "o2", "o3"}) {
    w.go();
    w.end(op);
  }
  w.go();
  for (std::size_t cut = 0; cut <= w.events.size(); ++cut) {
    World again;
    for (std::size_t i = 0; i < cut; ++i) apply(again.state, w.events[i]);
    const auto before = again.state.ops;
    for (const auto& begun : again.go()) EXPECT_FALSE(before.contains(begun) && before.at(begun).ended()) << begun << " at " << cut;
  }
}

TEST(Flow, WhatDependsOnAFailureIsNotDone) {
  World w(R"({"agents": [{"id": "a", "role": "x"}, {"id": "b", "role": "x"}, {"id": "c", "role": "x"}, {"id": "d", "role": "x"}],
 "operations": [{"id": "o1", "agent_id": "a", "instruction": "1"}, {"id": "o2", "agent_id": "b", "instruction": "2", "depends_on": ["o1"]},
  {"id": "o3", "agent_id": "c", "instruction": "3", "depends_on": [{"op": "o1", "on_failure": "skip"}]},
  {"id": "o4", "agent_id": "d", "instruction": "4", "depends_on": [{"op": "o1", "on_failure": "run-with-error"}]}]})");
  w.plan();
  EXPECT_EQ(w.go(), Ops{"o1"});
  w.fail("o1", "RunTimeout", "too slow");
  EXPECT_EQ(w.go(), (Ops{"o3", "o4"}));
  EXPECT_EQ(w.phase("o2"), "skipped");
  const auto spec = op_spec(w.state, w.spec, worker_base(w.spec), "o4", 1, std::nullopt);
  EXPECT_NE(spec.input.find("It was not done: too slow"), std::string::npos);
  EXPECT_EQ(op_spec(w.state, w.spec, worker_base(w.spec), "o3", 1, std::nullopt).input.find("too slow"), std::string::npos);
  w.end("o3");
  w.end("o4");
  w.go();
  EXPECT_EQ(w.state.status, Status::error);
  EXPECT_EQ(w.reason, "run.failed.operation");
  EXPECT_NE(w.log.find("  ✗ a FAILED (1.0s)\n"), std::string::npos);
  EXPECT_NE(w.log.find("error: 2 of 4 operations failed or were not done; o1: too slow\n"), std::string::npos);

  // Without retries only what was never done is done; with them the failure too, and all behind it.
  auto kept = carried_over(w.state, false);
  ASSERT_EQ(kept.size(), 3u);
  kept = carried_over(w.state, true);
  EXPECT_TRUE(kept.empty()) << "everything is behind o1";
}

TEST(Flow, AttemptsFallbacksAndPauses) {
  World w(R"({"agents": [{"id": "a", "role": "x"}], "operations": [{"id": "o1", "agent_id": "a", "instruction": "1", "retries": 1, "fallback": ["demo/other"]}]})");
  w.plan();
  EXPECT_EQ(w.go(), Ops{"o1"});
  EXPECT_EQ(flow_model(w.state, w.spec, "o1"), "");
  w.fail("o1");
  EXPECT_EQ(w.go(), Ops{"o1"}) << "by another model, at once";
  EXPECT_EQ(flow_model(w.state, w.spec, "o1"), "demo/other");
  const auto before = w.now;
  w.fail("o1", "ToolCallLimit");
  EXPECT_EQ(w.go(), Ops{"o1"});
  EXPECT_GE(w.now - before, 2'000) << "after a pause";
  w.fail("o1", "ToolCallLimit");
  EXPECT_EQ(w.go(), Ops{});
  EXPECT_EQ(w.phase("o1"), "failed");
  EXPECT_EQ(w.log.find("▶ a started"), w.log.rfind("▶ a started")) << "once";
  EXPECT_EQ(find_op(w.state, "o1")->attempts, 3);
}

TEST(Flow, AUsageLimitIsWaitedFor) {
  World w;
  w.plan();
  w.go();
  w.fail("o1", "ProviderLimited", "quota");
  w.ended["o1"].limited_until_ms = w.now + 3'600'000;
  const auto until = w.now + 3'600'000;
  EXPECT_EQ(w.go(), Ops{"o1"});
  EXPECT_EQ(w.now, until);
  w.fail("o1", "ProviderLimited", "quota");
  w.ended["o1"].limited_until_ms = w.now + 30LL * 3'600'000;
  EXPECT_EQ(w.go(), Ops{}) << "too long";
  EXPECT_EQ(w.phase("o1"), "failed");
}

TEST(Flow, APlannerThatAnswersBadlyIsAskedOnceMore) {
  World w;
  w.go();
  w.end("@plan", "I would rather not.");
  EXPECT_EQ(w.go(), Ops{"@plan"});
  EXPECT_NE(op_spec(w.state, w.spec, worker_base(w.spec), "@plan", 2, std::nullopt).input.find("cannot be used"), std::string::npos);
  w.end("@plan", R"({"agents": [{"id": "a", "role": "x"}], "operations": [{"id": "o1", "agent_id": "b", "instruction": "1"}]})");
  EXPECT_EQ(w.go(), Ops{});
  EXPECT_EQ(w.state.status, Status::error);
  EXPECT_EQ(w.reason, "run.failed.plan_invalid");
  EXPECT_NE(w.log.find("error: Invalid plan: op 'o1' references unknown agent 'b' (known: [a])\nTotal: "), std::string::npos) << w.log;
}

TEST(Flow, AModelThatCannotBeCalledIsABadPlan) {
  World w;
  w.go();
  w.end("@plan", R"({"agents": [{"id": "a", "role": "x", "model": "no/such"}], "operations": [{"id": "o1", "agent_id": "a", "instruction": "1"}]})");
  EXPECT_EQ(w.go(), Ops{"@plan"});
  w.end("@plan", std::string(kChain));
  EXPECT_EQ(w.go(), Ops{"o1"}) << "the second answer counts";
}

TEST(Flow, RoundsAreJudged) {
  World w(R"({"agents": [{"id": "a", "role": "x"}, {"id": "c", "role": "judge"}],
 "operations": [{"id": "o1", "agent_id": "a", "instruction": "1"}, {"id": "k1", "agent_id": "c", "instruction": "ok?", "control": true}]})");
  w.plan();
  EXPECT_EQ(w.go(), Ops{"o1"}) << "the control operation waits for all others";
  w.end("o1");
  EXPECT_EQ(w.go(), Ops{"k1"});
  w.end("k1", "no verdict at all");
  EXPECT_EQ(w.go(), Ops{"k1"}) << "asked once more";
  w.end("k1", R"({"should_continue": true, "reason": "thin", "next_steps": "more"})");
  EXPECT_EQ(w.go(), Ops{"@plan2"});
  EXPECT_NE(op_spec(w.state, w.spec, worker_base(w.spec), "@plan2", 1, std::nullopt).input.find("thin"), std::string::npos);
  w.end("@plan2", R"({"agents": [], "operations": [{"id": "o5", "agent_id": "a", "instruction": "more"}, {"id": "o1", "agent_id": "a", "instruction": "again"}]})");
  EXPECT_EQ(w.go(), Ops{"o5"});
  w.end("o5");
  w.go();
  EXPECT_EQ(w.state.status, Status::completed);
  for (const auto* line : {"Control [k1 via c]: evaluating...", "Control [k1] done (2.0s): continue=True", "Round 2: orchestrator re-planning...", "Re-plan: +0 agents, +1 ops: o5",
                           "Round 2 done (1.0s)."})
    EXPECT_NE(w.log.find(line), std::string::npos) << line << "\n" << w.log;
}

TEST(Flow, TheSynthesisComesLast) {
  World w;
  w.spec.flow->synthesis = true;
  w.spec.flow->synthesis_model = "demo/wise";
  w.plan();
  for (const auto* op : {"o1", "o2", "o3"}) {
    w.go();
    w.end(op, std::string("result of ") + op);
  }
  EXPECT_EQ(w.go(), Ops{"@synthesis"});
  EXPECT_NE(op_spec(w.state, w.spec, worker_base(w.spec), "@synthesis", 1, std::nullopt).input.find("result of o2"), std::string::npos);
  w.end("@synthesis", "all in all");
  w.go();
  EXPECT_EQ(flow_content(w.state), "all in all");
  EXPECT_NE(w.log.find("DAG done (3.0s).\nSynthesis [demo/wise]...\nSynthesis done (1.0s).\nSaved to /save\n"), std::string::npos) << w.log;
}

TEST(Flow, ACancelEndsWhatRunsAndAResumeDoesItAgain) {
  World w;
  w.plan();
  w.go();
  w.end("o1");
  w.go();
  w.cancelled = true;
  w.go();
  EXPECT_TRUE(w.ending);
  w.ended["o2"] = {.status = Status::cancelled, .reason = {}, .cause = {}, .error = {}, .content = {}};
  w.go();
  EXPECT_EQ(w.state.status, Status::cancelled);
  EXPECT_EQ(w.phase("o2"), "cut");
  EXPECT_EQ(w.phase("o3"), "unknown");

  World again;
  again.spec.flow->plan = w.state.plan;
  again.spec.flow->carried = carried_over(w.state, false);
  EXPECT_EQ(again.go(), Ops{"o2"}) << "neither planned nor o1 again";
  EXPECT_EQ(find_agent(again.state.plan, "r1")->branch, find_agent(w.state.plan, "r1")->branch);
  again.end("o2");
  again.go();
  again.end("o3");
  again.go();
  EXPECT_EQ(again.state.status, Status::completed);
}

TEST(Flow, LimitsEndItAndLeaveItResumable) {
  World slow;
  slow.spec.limits.timeout_ms = 5'000;
  slow.plan();
  slow.go();
  slow.now = 6'000;
  slow.go();
  EXPECT_TRUE(slow.ending);
  slow.ended["o1"] = {.status = Status::cancelled, .reason = {}, .cause = {}, .error = {}, .content = {}};
  slow.go();
  EXPECT_EQ(slow.reason, "run.timed_out.deadline");
  EXPECT_EQ(slow.state.error, "Flow timed out after 5s");

  World dear;
  dear.spec.limits.tokens = 20;
  dear.plan();
  dear.go();
  dear.end("o1");
  dear.go();
  EXPECT_EQ(dear.reason, "run.failed.token_limit");
  EXPECT_EQ(carried_over(dear.state, true).size(), 1u);
}

TEST(Flow, ABudgetInMoneyIsOneTooAndAnOperationMayUseWhatIsLeft) {
  World w;
  w.spec.limits.cost_micros = 100;
  w.spec.limits.tokens = 1000;
  w.plan();
  w.go();
  w.end("o1");
  w.ended["o1"].usage.cost_micros = 60;
  w.go();
  const auto left = op_spec(w.state, w.spec, worker_base(w.spec), "o2", 1, std::nullopt).limits;
  EXPECT_EQ(left.cost_micros, 40);
  EXPECT_EQ(left.tokens, 970);  // the planner has had its part
  w.fail("o2", "CostLimit", "the run's limit of $0.0000 is reached");
  w.ended["o2"].usage.cost_micros = 41;
  w.go();
  EXPECT_EQ(w.reason, "run.failed.cost_limit");
  EXPECT_EQ(w.phase("o2"), "cut");
  EXPECT_EQ(carried_over(w.state, false).size(), 1u);  // o2 has its turn when it is resumed
}

TEST(Flow, OneAgentDoesOneThingAtATimeAndNoMoreAtOnceThanAllowed) {
  World w(R"({"agents": [{"id": "a", "role": "x"}, {"id": "b", "role": "x"}, {"id": "c", "role": "x"}],
 "operations": [{"id": "o1", "agent_id": "a", "instruction": "1"}, {"id": "o2", "agent_id": "a", "instruction": "2"},
                {"id": "o3", "agent_id": "b", "instruction": "3"}, {"id": "o4", "agent_id": "c", "instruction": "4"}]})");
  w.spec.flow->concurrent_max = 2;
  w.plan();
  EXPECT_EQ(w.go(), (Ops{"o1", "o3"}));
  w.end("o3");
  EXPECT_EQ(w.go(), Ops{"o4"});
  w.end("o1");
  EXPECT_EQ(w.go(), Ops{"o2"});
}

TEST(Flow, AMissingFileIsAFailure) {
  World w(R"({"agents": [{"id": "a", "role": "x"}], "operations": [{"id": "o1", "agent_id": "a", "instruction": "1", "artifacts": ["out.md"]}]})");
  w.plan();
  w.go();
  w.end("o1");
  w.ended["o1"].missing_artifacts = {"out.md"};
  w.go();
  EXPECT_EQ(w.phase("o1"), "failed");
  EXPECT_EQ(find_op(w.state, "o1")->error, "it did not make out.md");
}

TEST(Flow, WhatThePlaybookPromisesMustBeThereInTheEnd) {
  World w(R"({"agents": [{"id": "a", "role": "x"}], "operations": [{"id": "o1", "agent_id": "a", "instruction": "1"}]})");
  w.spec.flow->expected = {"a/report.md"};
  w.models.missing = {"a/report.md"};
  w.plan();
  w.go();
  w.end("o1");
  w.go();
  EXPECT_EQ(w.reason, "run.failed.missing_artifact");
}

TEST(Flow, AFanOutIsAPlanOfRequests) {
  World w(R"({"requests": [{"instruct": {"instruction": "x"}}, {"instruct": {"instruction": "y"}}, {"instruct": {"instruction": "z"}}]})");
  w.spec.flow->fanout = true;
  w.spec.flow->workers = 2;
  w.spec.flow->worker_models = {"demo/one", "demo/two"};
  w.plan();
  EXPECT_EQ(w.go().size(), 2u);
  w.end("o1");
  w.go();
  w.fail("o2");
  w.go();
  EXPECT_EQ(w.state.status, Status::error);
  EXPECT_NE(w.log.find("Phase 1: Orchestrator decomposing task into 2 agent requests...\nPhase 1 done (1.0s): 2 requests generated.\n"
                       "Phase 2: Fanning out to 2 workers: [demo/one, demo/two]\nPhase 2 done (2.0s).\nSaved 2 worker results to /save\n"),
            std::string::npos)
      << w.log;
}

}  // namespace
}  // namespace run
