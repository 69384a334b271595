// Who has started whom, and who holds what.
#include "store/sqlite_store.h"
#include "store/store_fixture.h"

namespace store {
namespace {

class RunTree : public SqliteStoreTest {};

Run launch(Process& p, const std::string& id, const std::string& parent = "", OwnerNumber owner = 0) {
  Launch l;
  l.id_is_callers = true;
  l.run_id = id;
  l.session_id = "session of " + id;
  l.component_id = "main";
  l.parent_run_id = parent;
  l.spec = "{}";
  l.claim_for = owner;
  l.now_ms = p.time.wall_ms();
  return p.run(p.store->launch(std::move(l))).run;
}

std::string ids(const std::vector<Run>& runs) {
  std::string text;
  for (const auto& run : runs) text += (text.empty() ? "" : " ") + run.run_id;
  return text;
}

TEST_F(RunTree, DescendantsAreFoundAtAnyDepthInTheOrderOfLaunch) {
  Process p(home);
  launch(p, "other");
  const auto root = launch(p, "root");
  launch(p, "a", "root");
  launch(p, "stranger", "other");
  launch(p, "b", "root");
  launch(p, "a1", "a");
  launch(p, "a11", "a1");
  EXPECT_EQ(ids(p.run(p.store->descendants(root.number, 100))), "a b a1 a11");
  EXPECT_EQ(ids(p.run(p.store->descendants(root.number, 2))), "a b");
  EXPECT_EQ(ids(p.run(p.store->descendants(12'345, 100))), "");
}

TEST_F(RunTree, ChildrenAreCountedByWhatHasBecomeOfThem) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto root = launch(p, "root");
  launch(p, "waits", "root");
  launch(p, "runs", "root", owner);
  p.append(launch(p, "good", "root", owner), 1, 0, 1, run::Status::completed);
  p.append(launch(p, "bad", "root", owner), 1, 0, 1, run::Status::error);
  p.append(launch(p, "gone", "root", owner), 1, 0, 1, run::Status::cancelled);
  Append empty{.run = launch(p, "empty", "root", owner).number, .epoch = 1, .lines = lines_of(0, 1), .count = 1};
  empty.status = run::Status::completed;
  empty.reason = run::kReasonCompletedEmpty;
  ASSERT_TRUE(p.run(p.store->append(std::move(empty))));
  launch(p, "deeper", "runs");
  auto counts = p.run(p.store->count_children(root.number, {"root"}));
  ASSERT_EQ(counts.size(), 1u);
  const auto c = counts["root"];
  EXPECT_EQ(c.pending, 1);
  EXPECT_EQ(c.running, 1);
  EXPECT_EQ(c.completed, 1);
  EXPECT_EQ(c.failed, 3);
  EXPECT_EQ(c.total(), 6);
  EXPECT_EQ(c.live(), 2);
}

TEST_F(RunTree, AnOverviewHasLiveOnesFirstAndNoChildren) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  for (const auto* id : {"e1", "e2", "e3"}) p.append(launch(p, id, "", owner), 1, 0, 1, run::Status::completed);
  launch(p, "l1");
  launch(p, "child", "l1");
  launch(p, "l2", "", owner);
  const auto ended_of = [&p](const std::string& id) { return p.run(p.store->find_run(id))->ended_ms; };
  const auto all = p.run(p.store->overview({.ended_since_ms = 1, .ended_max = 2, .limit = 10}));
  EXPECT_TRUE(ids(all.items).starts_with("l2 l1 ")) << ids(all.items);
  EXPECT_EQ(all.items.size(), 4u);
  EXPECT_EQ(all.total, 5);
  EXPECT_EQ(p.run(p.store->overview({.ended_since_ms = 1, .ended_max = 10, .limit = 1})).items.size(), 1u);
  const auto late = p.run(p.store->overview({.ended_since_ms = ended_of("e3") + 60'000, .ended_max = 10, .limit = 10}));
  EXPECT_EQ(ids(late.items), "l2 l1");
  EXPECT_EQ(late.total, 2);
}

TEST_F(RunTree, HoldersAreProcessesThatHoldLiveRuns) {
  Process p(home);
  EXPECT_TRUE(p.run(p.store->holders()).empty());
  const auto owner = p.run(p.store->register_owner());
  launch(p, "unclaimed");
  p.append(launch(p, "ended", "", owner), 1, 0, 1, run::Status::completed);
  launch(p, "a", "", owner);
  launch(p, "b", "", owner);
  const auto holders = p.run(p.store->holders());
  ASSERT_EQ(holders.size(), 1u);
  EXPECT_TRUE(holders[0].lives);
  EXPECT_EQ(holders[0].owner.pid, getpid());
  EXPECT_EQ(holders[0].run_ids, (std::vector<std::string>{"a", "b"}));
}

TEST_F(RunTree, AFactIsKeptWithItsRun) {
  Process p(home);
  const auto run = launch(p, "r");
  p.run(p.store->add_fact(run.number, "kill_requested", R"({"reason":"x"})"));
  p.run(p.store->add_fact(run.number + 1, "kill_requested", "{}"));
  const auto facts = p.run(p.store->facts(run.number));
  ASSERT_EQ(facts.size(), 1u);
  EXPECT_EQ(facts[0].type, "kill_requested");
  EXPECT_EQ(facts[0].data, R"({"reason":"x"})");
}

}  // namespace
}  // namespace store
