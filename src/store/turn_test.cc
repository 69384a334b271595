// Turns that wait for each other, and decisions about what a turn waits for.
#include "store/store_fixture.h"

namespace store {
namespace {

class TurnTest : public SqliteStoreTest {
 protected:
  static constexpr const char* kSession = "s";

  Launched in_turn(Process& p, std::string key = "", OwnerNumber owner = 0, std::size_t turns_max = 0) {
    Launch l;
    l.run_id = base::new_run_id(p.time, p.random);
    l.component_id = "main";
    l.session_id = kSession;
    l.launch_key = std::move(key);
    l.spec = "{}";
    l.in_turn = true;
    l.turns_max = turns_max;
    l.claim_for = owner;
    if (owner) l.first_events = lines_of(0, 1), l.first_event_count = 1;
    return p.run(p.store->launch(std::move(l)));
  }
  SessionNumber make_session(Process& p) {
    Session session;
    session.session_id = kSession;
    session.app_id = "desk";
    return p.run(p.store->create_session(session))->number;
  }
  std::vector<std::string> orphans(Process& p) {
    std::vector<std::string> ids;
    for (const auto& run : p.run(p.store->orphans(10))) ids.push_back(run.run_id);
    return ids;
  }
  // Appends a pause that waits for these calls; the run has one event.
  void pause(Process& p, const store::Run& r, std::vector<std::string> calls) {
    run::RunPaused paused;
    for (auto& id : calls) paused.calls.push_back({.id = std::move(id), .name = "Bash", .arguments = "{}"});
    Append a;
    a.run = r.number;
    a.epoch = 1;
    a.first = 1;
    a.lines = run::encode({1, std::move(paused)}) + "\n";
    a.count = 1;
    a.status = run::Status::paused;
    ASSERT_TRUE(p.run(p.store->append(std::move(a))));
  }
};

TEST_F(TurnTest, ATurnWaitsForAllBeforeItAndKnowsThem) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  make_session(p);
  const auto first = in_turn(p, "", owner).run, second = in_turn(p, "", owner).run, third = in_turn(p, "", owner).run;
  EXPECT_EQ(first.owner, owner);
  EXPECT_EQ(second.owner, 0) << "it was to be executed at once, but must wait";
  EXPECT_EQ(second.event_count, 0u);
  EXPECT_TRUE(orphans(p).empty());
  EXPECT_EQ(p.run(p.store->claim(second.number, owner, 0)).error().code, base::Errc::busy);
  const auto waiting = [&] {
    std::vector<bool> waits;
    for (const auto& turn : p.run(p.store->turns(first.session))) waits.push_back(turn.waits);
    return waits;
  };
  EXPECT_EQ(waiting(), (std::vector<bool>{false, true, true}));
  ASSERT_TRUE(p.append(first, 1, 1, 1, run::Status::completed));
  EXPECT_EQ(orphans(p), std::vector{second.run_id});
  EXPECT_EQ(waiting(), (std::vector<bool>{false, false, true}));
  const auto lease = p.run(p.store->claim(second.number, owner, 0));
  ASSERT_TRUE(lease);
  EXPECT_FALSE(lease->taken_over);
  const auto past = p.run(p.store->history(second.session, lease->run.history_through));
  ASSERT_EQ(past.size(), 1u);
  EXPECT_EQ(past[0].run.run_id, first.run_id);
  ASSERT_TRUE(p.append(second, 1, 0, 1, run::Status::error));
  EXPECT_EQ(orphans(p), std::vector{third.run_id});
}

TEST_F(TurnTest, AnotherProcessKeepsTheOrder) {
  std::string first, second;
  {
    Process p(home);
    make_session(p);
    first = in_turn(p).run.run_id;
    second = in_turn(p).run.run_id;
  }
  Process p(home);
  EXPECT_EQ(orphans(p), std::vector{first}) << "the first may begin, nobody has claimed it";
  EXPECT_EQ(p.run(p.store->claim(p.run(p.store->find_run(second))->number, 1, 0)).error().code, base::Errc::busy);
}

TEST_F(TurnTest, ACancelledTurnEndsWithoutWaiting) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  make_session(p);
  const auto first = in_turn(p, "", owner).run, second = in_turn(p).run, third = in_turn(p).run;
  p.run(p.store->request_cancel(second.run_id));
  EXPECT_EQ(orphans(p), std::vector{second.run_id});
  ASSERT_TRUE(p.run(p.store->claim(second.number, owner, 0)));
  ASSERT_TRUE(p.append(second, 1, 0, 1, run::Status::cancelled));
  EXPECT_TRUE(orphans(p).empty()) << "the third still waits for the first";
  ASSERT_TRUE(p.append(first, 1, 1, 1, run::Status::completed));
  EXPECT_EQ(orphans(p), std::vector{third.run_id});
}

TEST_F(TurnTest, OneThatHasBegunIsTakenOverWhateverRunsBeforeIt) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  make_session(p);
  const auto turn = in_turn(p).run;
  const auto beside = p.launch(kSession, "", "d", owner).run;
  ASSERT_TRUE(p.run(p.store->claim(turn.number, owner, 0)));
  p.run(p.store->release(turn.number, 1, ""));
  EXPECT_EQ(orphans(p), std::vector{turn.run_id});
  EXPECT_EQ(in_turn(p, "", owner).run.owner, 0) << "runs that do not wait are waited for";
  EXPECT_TRUE(p.append(beside, 1, 0, 1, run::Status::completed));
}

TEST_F(TurnTest, AQueueHasABoundAndNeedsItsSession) {
  Process p(home);
  EXPECT_EQ(in_turn(p).known, Known::no_session);
  EXPECT_FALSE(p.run(p.store->find_session(kSession)));
  make_session(p);
  EXPECT_EQ(p.run(p.store->find_session(kSession))->app_id, "desk");
  EXPECT_EQ(in_turn(p, "k", 0, 2).known, Known::fresh);
  EXPECT_EQ(in_turn(p, "", 0, 2).known, Known::fresh);
  EXPECT_EQ(in_turn(p, "", 0, 2).known, Known::no_room);
  EXPECT_EQ(in_turn(p, "k", 0, 2).known, Known::retry) << "what is there already needs no room";
}

TEST_F(TurnTest, ASessionIsCancelledInOneStep) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto session = make_session(p);
  const auto first = in_turn(p, "", owner).run, second = in_turn(p).run;
  const auto other = p.launch("other", "", "d", owner).run;
  const auto live = p.run(p.store->cancel_session(session));
  ASSERT_EQ(live.size(), 2u);
  EXPECT_FALSE(live[0].cancel_requested) << "as they were before";
  EXPECT_TRUE(p.find(first).cancel_requested);
  EXPECT_TRUE(p.find(second).cancel_requested);
  EXPECT_FALSE(p.find(other).cancel_requested);
  EXPECT_EQ(p.append(first, 1, 1, 1, run::Status::completed).error().code, base::Errc::cancel_requested);
}

TEST_F(TurnTest, ARunGoesOnWithTheLastDecision) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  make_session(p);
  const auto r = in_turn(p, "", owner).run;
  const auto decide = [&](std::string call, bool approved, std::string note = "") {
    return p.run(p.store->decide(r.number, {{std::move(call), approved, std::move(note)}}));
  };
  EXPECT_EQ(decide("a", true).error().code, base::Errc::conflict) << "it is not paused";
  pause(p, r, {"a", "b"});
  EXPECT_EQ(decide("c", true).error().code, base::Errc::not_found);
  const auto half = decide("b", false, "not now");
  ASSERT_TRUE(half);
  EXPECT_FALSE(half->goes_on);
  EXPECT_EQ(p.find(r).status, run::Status::paused);
  EXPECT_EQ(p.find(r).event_count, 2u);
  const auto known = p.run(p.store->pause_of(r.number));
  ASSERT_TRUE(known && known->decided.size() == 1);
  EXPECT_EQ(known->calls.size(), 2u);
  EXPECT_EQ(known->decided[0].note, "not now");
  EXPECT_TRUE(decide("b", false, "not now")) << "said again";
  EXPECT_EQ(decide("b", true).error().code, base::Errc::conflict) << "the first counts";
  const auto whole = decide("a", true);
  ASSERT_TRUE(whole && whole->goes_on);
  EXPECT_EQ(whole->run.event_count, 3u);
  const auto made = std::get<run::RunContinued>(run::decode(p.run(p.store->last_event(r.number)))->payload);
  ASSERT_EQ(made.decisions.size(), 2u);
  EXPECT_EQ(made.decisions[0].call_id, "a") << "in the order of the calls";
  EXPECT_TRUE(made.decisions[0].approved);
  EXPECT_FALSE(made.decisions[1].approved);
  EXPECT_EQ(orphans(p), std::vector{r.run_id});
  EXPECT_EQ(p.run(p.store->pause_of(r.number)).error().code, base::Errc::conflict);
}

TEST_F(TurnTest, ADecisionOfAnEarlierPauseIsNotThisOnes) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  make_session(p);
  const auto r = in_turn(p, "", owner).run;
  pause(p, r, {"a", "b"});
  ASSERT_TRUE(p.run(p.store->decide(r.number, {{"a", true, ""}})));
  ASSERT_TRUE(p.run(p.store->decide(r.number, {{"b", true, ""}}))->goes_on);
  ASSERT_TRUE(p.run(p.store->claim(r.number, owner, 0)));
  run::RunPaused again{.calls = {{.id = "a", .name = "Bash", .arguments = "{}"}}};
  Append append;
  append.run = r.number;
  append.epoch = 2;
  append.first = 3;
  append.lines = run::encode({1, std::move(again)}) + "\n";
  append.count = 1;
  append.status = run::Status::paused;
  ASSERT_TRUE(p.run(p.store->append(std::move(append))));
  EXPECT_TRUE(p.run(p.store->pause_of(r.number))->decided.empty());
  EXPECT_TRUE(p.run(p.store->decide(r.number, {{"a", false, ""}}))->goes_on);
}

TEST_F(TurnTest, AParkedRunGoesOnWithoutDecisions) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  make_session(p);
  const auto r = in_turn(p, "", owner).run;
  pause(p, r, {});
  EXPECT_TRUE(p.run(p.store->decide(r.number, {}))->goes_on);
}

}  // namespace
}  // namespace store
