// The end of a session: which of its tasks are cancelled, and where the others go, in one transaction.
#include "run/spec.h"
#include "store/store_fixture.h"

namespace store {
namespace {

class SessionEndTest : public SqliteStoreTest {
 protected:
  store::Run turn(Process& p, const std::string& session) {
    auto run = p.launch(session, "", "d", owner).run;
    EXPECT_TRUE(p.append(run, 1, 0, 1, run::Status::completed));
    return run;
  }
  store::Run task(Process& p, const std::string& session, run::OnEnd on_end, const std::string& parent = "turn",
                  bool awaited = false, std::vector<std::string> after = {}) {
    run::Spec spec;
    spec.limits.tasks.on_end = on_end;
    spec.after.tasks = std::move(after);
    Launch l;
    l.run_id = base::new_run_id(p.time, p.random);
    l.kind = kKindTool;
    l.component_id = "shell.bash";
    l.session_id = session;
    l.parent_run_id = parent;
    l.awaited = awaited;
    l.spec = run::encode(spec);
    l.claim_for = owner;
    l.now_ms = p.time.wall_ms();
    return p.run(p.store->launch(std::move(l))).run;
  }
  Session session(Process& p, const std::string& id, const std::string& user = "", const std::string& agent = "main") {
    Session s{.session_id = id, .component_type = "agent", .component_id = agent, .user_id = user};
    s.created_ms = p.time.wall_ms();
    return *p.run(p.store->create_session(s));
  }
  bool remove(Process& p, const std::string& id = "s") { return p.run(p.store->remove_session(id, id + ".detached-1")); }
  bool there(Process& p, const std::string& id) { return p.run(p.store->find_session(id)).has_value(); }
  std::vector<std::string> notices(Process& p, const std::string& id) {
    std::vector<std::string> tasks;
    for (const auto& notice : p.run(p.store->notices(p.run(p.store->find_session(id))->number))) tasks.push_back(notice.task_id);
    return tasks;
  }
  OwnerNumber owner = 0;
};

TEST_F(SessionEndTest, EachTaskHasItsOwnPolicy) {
  Process p(home);
  owner = p.run(p.store->register_owner());
  session(p, "other");
  session(p, "s");
  turn(p, "s");
  const auto ends = task(p, "s", run::OnEnd::cancel), goes = task(p, "s", run::OnEnd::detach),
             adopted = task(p, "s", run::OnEnd::adopt);
  const auto ended = task(p, "s", run::OnEnd::detach);
  ASSERT_TRUE(p.append(ended, 1, 0, 1, run::Status::completed));
  ASSERT_TRUE(remove(p));
  EXPECT_TRUE(p.find(ends).cancel_requested);
  EXPECT_EQ(p.find(ends).session_id, "s");
  EXPECT_FALSE(p.find(goes).cancel_requested);
  EXPECT_EQ(p.find(goes).session_id, "s.detached-1");
  EXPECT_EQ(p.find(adopted).session_id, "other");
  EXPECT_FALSE(p.run(p.store->find_run(ended.run_id))) << "what has ended goes with its session";
  EXPECT_TRUE(there(p, "s")) << "one of it is live";
  ASSERT_TRUE(p.append(ends, 1, 0, 1, run::Status::cancelled));
  ASSERT_TRUE(p.run(p.store->remove_session("s", "s.detached-2")));
  EXPECT_FALSE(there(p, "s"));
  EXPECT_FALSE(there(p, "s.detached-2")) << "nothing needed it";
  ASSERT_TRUE(p.append(goes, 1, 0, 1, run::Status::completed));
  ASSERT_TRUE(p.append(adopted, 1, 0, 1, run::Status::completed));
  EXPECT_EQ(p.whole(goes), lines_of(0, 1));
  EXPECT_TRUE(notices(p, "s.detached-1").empty());
  EXPECT_EQ(notices(p, "other"), std::vector{adopted.run_id});
}

TEST_F(SessionEndTest, WhatACallWaitsForGoesWhereTheCallGoes) {
  Process p(home);
  owner = p.run(p.store->register_owner());
  session(p, "s");
  const auto asks = p.launch("s", "", "d", owner).run;
  const auto piece_of_turn = task(p, "s", run::OnEnd::detach, asks.run_id, true);
  const auto goes = task(p, "s", run::OnEnd::detach, asks.run_id);
  const auto done = task(p, "s", run::OnEnd::detach, goes.run_id, true),
             live = task(p, "s", run::OnEnd::detach, goes.run_id, true);
  ASSERT_TRUE(p.append(done, 1, 0, 1, run::Status::completed));
  const auto earlier = task(p, "s", run::OnEnd::detach);
  const auto later = task(p, "s", run::OnEnd::detach, asks.run_id, false, {earlier.run_id});
  ASSERT_TRUE(p.append(earlier, 1, 0, 1, run::Status::error));
  ASSERT_TRUE(remove(p));
  EXPECT_TRUE(p.find(asks).cancel_requested);
  EXPECT_TRUE(p.find(piece_of_turn).cancel_requested);
  for (const auto& moved : {goes, done, live, earlier, later}) {
    EXPECT_EQ(p.find(moved).session_id, "s.detached-1");
    EXPECT_FALSE(p.find(moved).cancel_requested);
  }
  EXPECT_EQ(task(p, "s", run::OnEnd::detach, goes.run_id, true).session_id, "s.detached-1") << "launched by one that has moved";
  EXPECT_FALSE(p.run(p.store->resolve_session("s.det"))) << "no conversation to go on with";
}

TEST_F(SessionEndTest, AnAbortLeavesThemWhereTheyAre) {
  Process p(home);
  owner = p.run(p.store->register_owner());
  const auto s = session(p, "s");
  const auto asks = p.launch("s", "", "d", owner).run;
  const auto piece = task(p, "s", run::OnEnd::adopt, asks.run_id, true);
  const auto ends = task(p, "s", run::OnEnd::cancel), goes = task(p, "s", run::OnEnd::detach),
             stays = task(p, "s", run::OnEnd::adopt);
  std::vector<std::string> cancelled;
  for (const auto& run : p.run(p.store->cancel_session(s.number))) cancelled.push_back(run.run_id);
  EXPECT_EQ(cancelled, (std::vector{asks.run_id, piece.run_id, ends.run_id}));
  for (const auto& left : {goes, stays}) {
    EXPECT_FALSE(p.find(left).cancel_requested);
    EXPECT_EQ(p.find(left).session_id, "s");
  }
  ASSERT_TRUE(p.append(stays, 1, 0, 1, run::Status::completed));
  EXPECT_EQ(notices(p, "s"), std::vector{stays.run_id});
}

TEST_F(SessionEndTest, OnlyTheSameUsersSessionOfTheSameAgentAdopts) {
  Process p(home);
  owner = p.run(p.store->register_owner());
  session(p, "s", "ann");
  session(p, "bobs", "bob");
  session(p, "clerks", "ann", "clerk");
  turn(p, "s");
  const auto first = task(p, "s", run::OnEnd::adopt);
  ASSERT_TRUE(remove(p));
  EXPECT_EQ(p.find(first).session_id, "s.detached-1");
  EXPECT_EQ(p.run(p.store->find_session("s.detached-1"))->user_id, "ann");
  session(p, "t", "ann");
  session(p, "last", "ann");
  const auto second = task(p, "t", run::OnEnd::adopt);
  p.run(p.store->add_notice(second, std::string(kNoticeReady), "seen"));
  ASSERT_TRUE(remove(p, "t"));
  EXPECT_EQ(p.find(second).session_id, "last");
  p.run(p.store->add_notice(second, std::string(kNoticeReady), "by an executor that knows only the old one"));
  EXPECT_EQ(notices(p, "last").size(), 2u);
  EXPECT_FALSE(there(p, "t"));
}

TEST_F(SessionEndTest, TasksWithoutAnAgentEndWithTheirSession) {
  Process p(home);
  owner = p.run(p.store->register_owner());
  session(p, "s");
  turn(p, "s");
  const auto goes = task(p, "s", run::OnEnd::detach);
  ASSERT_TRUE(remove(p));
  ASSERT_TRUE(remove(p, "s.detached-1"));
  EXPECT_TRUE(p.find(goes).cancel_requested);
  ASSERT_TRUE(p.append(goes, 1, 0, 1, run::Status::cancelled));
  ASSERT_TRUE(remove(p, "s.detached-1"));
  EXPECT_FALSE(p.run(p.store->find_run(goes.run_id)));
}

}  // namespace
}  // namespace store
