// Members of a flow's team that have mail when their work is done.
#include "run/flow_mail.h"

#include "run/flow_fixture.h"

namespace run {
namespace {

constexpr std::string_view kPair = R"({"agents": [{"id": "a", "role": "x"}, {"id": "b", "role": "x"}],
 "operations": [{"id": "o1", "agent_id": "a", "instruction": "1"}, {"id": "o2", "agent_id": "b", "instruction": "2", "depends_on": ["o1"]}]})";

struct Team : World {
  explicit Team(std::string_view plan = kPair) : World(plan) { spec.flow->team = "0123456789ab", spec.flow->team_name = "crew"; }
  // Until both operations are done.
  void work() {
    plan();
    for (const auto* op : {"o1", "o2"}) {
      go();
      end(op, op);
    }
  }
};

TEST(FlowMail, AMemberWithMailGetsAnotherTurn) {
  Team w;
  w.work();
  w.unread = {{"a", {"x-2"}}};
  EXPECT_EQ(w.go(), Ops{"@mail1-a"});
  w.unread.clear();
  const auto input = op_spec(w.state, w.spec, worker_base(w.spec), "@mail1-a", 1, std::nullopt).input;
  EXPECT_NE(input.find("from x-2"), std::string::npos) << input;
  EXPECT_EQ(input.find("the task"), std::string::npos) << "it knows the task";
  w.end("@mail1-a", "answered");
  EXPECT_EQ(w.go(), Ops{});
  EXPECT_EQ(w.state.status, Status::completed);
  EXPECT_NE(w.log.find("  ✓ b done (1.0s)\n↻ team round 1: woke a\n  ▶ a started\n  ✓ a done (1.0s)\nSaved to "), std::string::npos) << w.log;
  EXPECT_EQ(flow_content(w.state), "o2") << "what was asked for, not what was said about it";
  EXPECT_NE(flow_results(w.state, w.spec, "branch").blocks.find("@mail1-a (a)"), std::string::npos);
}

TEST(FlowMail, NobodyIsAskedWithoutATeam) {
  World w(kPair);
  w.plan();
  for (const auto* op : {"o1", "o2"}) {
    w.go();
    w.end(op);
  }
  w.unread = {{"a", {"x-2"}}};
  EXPECT_EQ(w.go(), Ops{});
  EXPECT_EQ(w.looks, 0);
}

TEST(FlowMail, LettersAboutLettersEnd) {
  Team w;
  w.work();
  w.unread = {{"a", {"x-2"}}, {"b", {"x"}}};  // and never read
  for (const auto* round : {"1", "2", "3"}) {
    EXPECT_EQ(w.go(), (Ops{"@mail" + std::string(round) + "-a", "@mail" + std::string(round) + "-b"}));
    w.end("@mail" + std::string(round) + "-a");
    w.end("@mail" + std::string(round) + "-b");
  }
  EXPECT_EQ(w.go(), Ops{});
  EXPECT_EQ(w.state.status, Status::completed);
  EXPECT_EQ(w.state.rounds.size(), 1u) << "the orchestrator's rounds are counted without them";

  // Neither does a resumed flow begin to count again.
  World again;
  again.spec = w.spec;
  again.spec.flow->ops_max = 2;
  again.spec.flow->plan = w.state.plan;
  again.spec.flow->resumed_run = "before";
  again.spec.flow->carried = carried_over(w.state, false);
  again.unread = w.unread;
  EXPECT_EQ(again.go(), Ops{});
  EXPECT_EQ(again.state.status, Status::completed);
  EXPECT_EQ(again.state.plan.operations.size(), 8u) << "a cap of the planner's plan cuts nothing off that was done";
}

TEST(FlowMail, OnlyThoseWhoseWorkIsDoneAreWoken) {
  Team w;
  w.plan();
  w.go();
  w.fail("o1", "RunTimeout", "too slow");
  w.unread = {{"a", {"x-2"}}, {"b", {"x"}}, {"nobody", {"x"}}};
  EXPECT_EQ(w.go(), Ops{}) << "one has failed, the other was never at work";
  EXPECT_EQ(w.state.status, Status::error);
}

TEST(FlowMail, ItIsReadBeforeTheResultsAreBroughtTogether) {
  Team w;
  w.spec.flow->synthesis = true;
  w.work();
  w.unread = {{"a", {"x-2"}}};
  EXPECT_EQ(w.go(), Ops{"@mail1-a"});
  w.end("@mail1-a", "corrected");
  w.unread = {{"b", {"x"}}};
  EXPECT_EQ(w.go(), Ops{"@mail2-b"});
  w.end("@mail2-b", "seen");
  w.unread.clear();
  EXPECT_EQ(w.go(), Ops{"@synthesis"});
  EXPECT_NE(op_spec(w.state, w.spec, worker_base(w.spec), "@synthesis", 1, std::nullopt).input.find("corrected"), std::string::npos);
  w.unread = {{"a", {"x-2"}}};
  w.end("@synthesis", "all in all");
  EXPECT_EQ(w.go(), Ops{}) << "what comes later stays unread";
}

TEST(FlowMail, AnyPrefixOfTheLogGoesOnTheSameWay) {
  Team w;
  w.work();
  w.unread = {{"a", {"x-2"}}};
  w.go();
  w.end("@mail1-a");
  w.unread.clear();
  w.go();
  for (std::size_t cut = 0; cut <= w.events.size(); ++cut) {
    Team again;
    for (std::size_t i = 0; i < cut; ++i) apply(again.state, w.events[i]);
    const auto before = again.state.ops;
    for (const auto& begun : again.go()) EXPECT_FALSE(before.contains(begun) && before.at(begun).ended()) << begun << " at " << cut;
    if (planned_op(again.state, "@mail1-a")) EXPECT_NE(again.phase("@mail1-a"), "unknown") << "at " << cut;
  }
}

TEST(FlowMail, AFanOutHasAsManyWorkersAsBefore) {
  Team w(R"({"requests": [{"instruct": {"instruction": "x"}}, {"instruct": {"instruction": "y"}}]})");
  w.spec.flow->fanout = true;
  w.spec.flow->workers = 2;
  w.plan();
  w.go();
  w.end("o1");
  w.end("o2");
  w.unread = {{"worker-1", {"worker-2"}}};
  EXPECT_EQ(w.go(), Ops{"@mail1-worker-1"});
  w.unread.clear();
  w.end("@mail1-worker-1", "fine");
  w.go();
  EXPECT_NE(w.log.find("Saved 2 worker results to /save\n↻ team round 1: woke worker-1\n  ▶ worker-1 started\n  ✓ worker-1 done (1.0s)\nSaved to "), std::string::npos) << w.log;
  const auto blocks = flow_results(w.state, w.spec, "branch").blocks;
  EXPECT_NE(blocks.find("Worker 2/2  ["), std::string::npos) << blocks;
  EXPECT_EQ(blocks.find("Worker 3"), std::string::npos) << blocks;
}

TEST(FlowMail, APlanMayNotNameSuchOperations) {
  const auto plan = parse_plan(R"({"agents": [{"id": "a", "role": "x"}], "operations": [{"id": "@mail1-a", "agent_id": "a", "instruction": "1"}]})");
  ASSERT_TRUE(plan);
  EXPECT_FALSE(check_plan(*plan));
}

TEST(FlowMail, WhatIsWorthATurn) {
  const std::vector<TeamMail> mails{{.from = "b", .to = {"*"}, .content = "an answer", .at_ms = 5, .from_op = "o2", .kind = "done"},
                                    {.from = "me", .to = {"*"}, .content = "my own", .at_ms = 5},
                                    {.from = "c", .to = {"b"}, .content = "to another", .at_ms = 5},
                                    {.from = "d", .to = {"me"}, .content = "read", .at_ms = 5, .read_by = {{"b", 6}, {"me", 7}}},
                                    {.from = "old", .to = {"me"}, .content = "before the flow", .at_ms = 4},
                                    {.from = "e", .to = {"b", "me"}, .content = "of an operation, by the agent itself", .at_ms = 5, .from_op = "o3"},
                                    {.from = "f", .to = {"*"}, .content = "to all", .at_ms = 5, .read_by = {{"b", 6}}},
                                    {.from = "f", .to = {"me"}, .content = "again", .at_ms = 6}};
  EXPECT_EQ(senders_to("me", mails, 5), (std::vector<std::string>{"e", "f"}));
  EXPECT_EQ(senders_to("me", mails, 7), std::vector<std::string>{});
}

TEST(FlowMail, WhatAnAgentIsToldIsBounded) {
  EXPECT_EQ(mail_text({}), "");
  EXPECT_EQ(mail_text({{.from = "b", .to = {"*"}, .content = "hello", .at_ms = 0, .from_op = "o1"}}), "# Your mail\n## From b, to all, of o1, 1970-01-01T00:00:00Z\nhello\n\n");
  std::vector<TeamMail> many(100, {.from = "b", .to = {"me"}, .content = std::string(1 << 20, 'x'), .at_ms = 0});
  const auto text = mail_text(many);
  EXPECT_LT(text.size(), kMailTextBytesMax + (32 << 10));
  EXPECT_NE(text.find("[1032192 more bytes]"), std::string::npos);
  EXPECT_NE(text.find("more: `outlast team show TEAM` has them]"), std::string::npos);
}

}  // namespace
}  // namespace run
