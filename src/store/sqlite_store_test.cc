#include "store/sqlite_store.h"

#include "store/sqlite/schema.h"
#include "store/store_fixture.h"

namespace store {
namespace {

TEST_F(SqliteStoreTest, LaunchedRunIsThereAfterReopen) {
  std::string id;
  {
    Process p(home);
    id = p.launch("s").run.run_id;
  }
  Process p(home);
  const auto found = p.run(p.store->find_run(id));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, run::Status::pending);
  EXPECT_EQ(found->session_id, "s");
}

TEST_F(SqliteStoreTest, SameKeySameRequestIsTheSameRun) {
  Process p(home);
  const auto first = p.launch("s", "k");
  EXPECT_EQ(first.known, Known::fresh);
  const auto second = p.launch("s", "k");
  EXPECT_EQ(second.known, Known::retry);
  EXPECT_EQ(second.run.run_id, first.run.run_id);
  EXPECT_EQ(p.launch("s", "k", "other").known, Known::other_request);
}

TEST_F(SqliteStoreTest, LaunchesBeyondTheBacklogMakeNothing) {
  Process p(home);
  Launch l;
  l.component_id = "main";
  l.spec = "{}";
  l.waiting_max = 2;
  const auto launch = [&](const std::string& id) {
    auto one = l;
    one.id_is_callers = true;
    one.run_id = one.session_id = id;
    return p.run(p.store->launch(std::move(one))).known;
  };
  EXPECT_EQ(launch("a"), Known::fresh);
  EXPECT_EQ(launch("b"), Known::fresh);
  EXPECT_EQ(launch("c"), Known::no_room);
  EXPECT_FALSE(p.run(p.store->find_session("c")));
  EXPECT_EQ(launch("b"), Known::retry);
}

TEST_F(SqliteStoreTest, CallersIdIsARetryOrAConflict) {
  Process p(home);
  EXPECT_EQ(p.launch("s", "", "d", 0, "mine").known, Known::fresh);
  EXPECT_EQ(p.launch("s", "", "d", 0, "mine").known, Known::retry);
  EXPECT_EQ(p.launch("s", "", "e", 0, "mine").known, Known::other_request);
}

TEST_F(SqliteStoreTest, AppendsAreDenseAndReadFromAnyIndex) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto r = p.launch("s", "", "d", owner).run;
  for (int i = 0; i < 30; i += 3) ASSERT_TRUE(p.append(r, 1, i, 3));
  EXPECT_EQ(p.find(r).event_count, 30u);
  for (std::uint64_t from = 0; from <= 30; ++from) {
    const auto slice = p.run(p.store->read(r.number, from));
    EXPECT_EQ(*slice.lines, lines_of(static_cast<int>(from), 30 - static_cast<int>(from))) << from;
  }
}

TEST_F(SqliteStoreTest, WrongIndexAndStaleEpochAreRefused) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto r = p.launch("s", "", "d", owner).run;
  ASSERT_TRUE(p.append(r, 1, 0, 2));
  EXPECT_EQ(p.append(r, 1, 1, 1).error().code, base::Errc::lease_lost);
  EXPECT_EQ(p.append(r, 1, 3, 1).error().code, base::Errc::lease_lost);
  EXPECT_EQ(p.append(r, 0, 2, 1).error().code, base::Errc::lease_lost);
  EXPECT_EQ(p.append(r, 2, 2, 1).error().code, base::Errc::lease_lost);
  EXPECT_EQ(p.whole(r), lines_of(0, 2));
}

TEST_F(SqliteStoreTest, AStolenLeaseStopsTheOldExecutor) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto r = p.launch("s", "", "d", owner).run;
  ASSERT_TRUE(p.append(r, 1, 0, 1));
  EXPECT_EQ(p.run(p.store->claim(r.number, owner + 1, 0)).error().code, base::Errc::busy);
  const auto lease = p.run(p.store->claim(r.number, owner, owner));  // hand-over by name
  ASSERT_TRUE(lease);
  EXPECT_TRUE(lease->taken_over);
  EXPECT_EQ(lease->run.epoch, 2);
  EXPECT_EQ(p.append(r, 1, 1, 1).error().code, base::Errc::lease_lost);
  EXPECT_TRUE(p.append(r, 2, 1, 1));
}

TEST_F(SqliteStoreTest, CancelAndCompletionMeetInOneTransaction) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto r = p.launch("s", "", "d", owner).run;
  EXPECT_EQ(p.run(p.store->request_cancel(r.run_id)).outcome, CancelOutcome::accepted);
  EXPECT_EQ(p.append(r, 1, 0, 1, run::Status::completed).error().code, base::Errc::cancel_requested);
  EXPECT_TRUE(p.append(r, 1, 0, 1));  // facts may still be added
  EXPECT_TRUE(p.append(r, 1, 1, 1, run::Status::cancelled));
  EXPECT_EQ(p.run(p.store->request_cancel(r.run_id)).outcome, CancelOutcome::already_finished);
  EXPECT_EQ(p.append(r, 1, 2, 1).error().code, base::Errc::already_finished);
  EXPECT_EQ(p.find(r).status, run::Status::cancelled);
}

TEST_F(SqliteStoreTest, ACancelOfAnUnknownIdBindsItsLaterLaunch) {
  Process p(home);
  EXPECT_EQ(p.run(p.store->request_cancel("later")).outcome, CancelOutcome::intent_stored);
  EXPECT_TRUE(p.launch("s", "", "d", 0, "later").run.cancel_requested);
  EXPECT_FALSE(p.launch("s", "", "d", 0, "another").run.cancel_requested);
}

TEST_F(SqliteStoreTest, OrphansAreThoseWithoutALivingOwner) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto held = p.launch("s", "", "d", owner).run;
  const auto waiting = p.launch("s").run;
  const auto dead = p.launch("s", "", "d", 999).run;  // an owner that is not there
  std::vector<std::string> ids;
  for (const auto& r : p.run(p.store->orphans(10))) ids.push_back(r.run_id);
  ::std::ranges::sort(ids);
  std::vector<std::string> expected{waiting.run_id, dead.run_id};
  ::std::ranges::sort(expected);
  EXPECT_EQ(ids, expected);
}

TEST_F(SqliteStoreTest, SealingKeepsEveryLine) {
  store::Run r;
  {
    Process p(home);
    const auto owner = p.run(p.store->register_owner());
    r = p.launch("s", "", "d", owner).run;
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(p.append(r, 1, i, 1));
    ASSERT_TRUE(p.append(r, 1, 200, 1, run::Status::completed));
  }  // closing waits for the seal
  Process p(home);
  EXPECT_EQ(p.whole(r), lines_of(0, 201));
  EXPECT_EQ(*p.run(p.store->read(r.number, 77)).lines, lines_of(77, 201 - 77));
  sqlite::Database db(home + "/outlast.db", sqlite::OpenMode::read_only);
  auto blocks = db.query("SELECT count(*) FROM event_block");
  ASSERT_TRUE(blocks.step());
  EXPECT_EQ(blocks.integer(0), 1);
}

TEST_F(SqliteStoreTest, TheViewShowsSingleEvents) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto r = p.launch("s", "", "d", owner).run;
  ASSERT_TRUE(p.append(r, 1, 0, 5));
  sqlite::Database db(home + "/outlast.db", sqlite::OpenMode::read_only);
  auto q = db.query("SELECT event_index, json_extract(event, '$.text') FROM event ORDER BY event_index");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(q.step());
    EXPECT_EQ(q.integer(0), i);
    EXPECT_EQ(q.text(1), "w" + std::to_string(i));
  }
}

TEST_F(SqliteStoreTest, AnotherProcessIsToldWhatWasAppended) {
  Process writer(home), reader(home);
  std::uint64_t heard = 0;
  std::string lines;
  reader.store->listen({.grown =
                            [&](const std::vector<Growth>& growth) {
                              for (const auto& g : growth)
                                if (g.slice.first == heard) heard = g.slice.end(), lines += *g.slice.lines;
                            },
                        .control = [] {}});
  reader.store->watch_log(true);
  reader.run(reader.time.sleep(std::chrono::milliseconds(20)));  // the watch is set up on its first turn
  const auto owner = writer.run(writer.store->register_owner());
  const auto r = writer.launch("s", "", "d", owner).run;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(writer.append(r, 1, i, 1));
  reader.run_until([&] { return heard == 20; });
  EXPECT_EQ(lines, lines_of(0, 20));
}

// Sealing deletes blocks and inserts merged ones: their ids must lie above all that were ever given, or a process that
// had not yet seen the last events never would (found with `logs -f` on a run of another process).
TEST_F(SqliteStoreTest, SealingNeverHidesEventsFromAnotherProcess) {
  Process writer(home);
  const auto owner = writer.run(writer.store->register_owner());
  const auto r = writer.launch("s", "", "d", owner).run;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(writer.append(r, 1, i, 1));
  std::int64_t seen = 0;
  {
    sqlite::Database db(home + "/outlast.db", sqlite::OpenMode::read_only);
    seen = sqlite::select_last_block(db);
  }
  ASSERT_TRUE(writer.append(r, 1, 20, 1, run::Status::completed));
  writer.run(writer.store->close());
  writer.store.reset();  // sealed now
  sqlite::Database db(home + "/outlast.db", sqlite::OpenMode::read_only);
  const auto growth = sqlite::select_growth(db, seen, seen);
  ASSERT_EQ(growth.size(), 1u);
  EXPECT_EQ(growth[0].slice.end(), 21u);
}

TEST_F(SqliteStoreTest, PrefixesNameRunsAndSessions) {
  Process p(home);
  const auto a = p.launch("alpha", "", "d", 0, "20260101T000000-aaaa").run;
  const auto b = p.launch("beta", "", "d", 0, "20260101T000000-bbbb").run;
  EXPECT_EQ(p.run(p.store->resolve_run("20260101T000000-a"))->run_id, a.run_id);
  EXPECT_EQ(p.run(p.store->resolve_run("2026")).error().code, base::Errc::ambiguous);
  EXPECT_EQ(p.run(p.store->resolve_run("bet"))->run_id, b.run_id);
  EXPECT_EQ(p.run(p.store->resolve_run("zzz")).error().code, base::Errc::not_found);
  EXPECT_EQ(p.run(p.store->resolve_session("alp"))->session_id, "alpha");
  EXPECT_EQ(p.run(p.store->resolve_session("20260101T000000-b"))->session_id, "beta");
}

TEST_F(SqliteStoreTest, HistoryIsWhatHadEndedAtTheLaunch) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto first = p.launch("s", "", "d", owner).run;
  const auto beside = p.launch("s", "", "d", owner).run;
  ASSERT_TRUE(p.append(first, 1, 0, 1, run::Status::completed));
  const auto next = p.launch("s", "", "d", owner).run;
  ASSERT_TRUE(p.append(beside, 1, 0, 1, run::Status::completed));
  const auto past = p.run(p.store->history(next.session, next.history_through));
  ASSERT_EQ(past.size(), 1u);
  EXPECT_EQ(past[0].run.run_id, first.run_id);
  EXPECT_TRUE(p.run(p.store->history(first.session, first.history_through)).empty());
}

TEST_F(SqliteStoreTest, ADatabaseOfEverySchemaVersionIsReadWhole) {
  int versions = 0;
  for (const auto& file : fs::directory_iterator(OUTLAST_TEST_DATA "/databases")) {
    if (file.path().extension() != ".db") continue;
    ++versions;
    const auto copy = home + "/" + file.path().stem().string();
    fs::create_directories(copy);
    fs::copy_file(file.path(), copy + "/outlast.db");
    Process p(copy);
    store::RunFilter all;
    all.limit = 100;
    const auto page = p.run(p.store->list_runs(std::move(all)));
    ASSERT_EQ(page.total, 3) << file.path();
    for (const auto& r : page.items) {
      EXPECT_EQ(r.status, run::Status::completed);
      const auto lines = p.whole(r);
      EXPECT_EQ(static_cast<std::uint64_t>(::std::ranges::count(lines, '\n')), r.event_count);
      EXPECT_NE(lines.find(R"({"type":"run_completed")"), std::string::npos);
    }
    std::size_t notices = 0, noted = 0;
    for (const auto& r : page.items) {
      notices += p.run(p.store->notices(r.session)).size();
      noted += p.run(p.store->memory(r.session, {})).items.size();
    }
    EXPECT_EQ(notices > 0, file.path().stem() == "v2" || file.path().stem() == "v4") << "a task's end that has not been told";
    EXPECT_EQ(noted > 0, file.path().stem() == "v3");
    const auto teams = p.run(p.store->list_teams());
    EXPECT_EQ(!teams.empty(), file.path().stem() == "v5");
    for (const auto& team : teams) {
      const auto mails = p.run(p.store->team_mail(team.number));
      ASSERT_EQ(mails.size(), 2u);
      EXPECT_EQ(mails[0].read_by.size() + mails[1].read_by.size(), 1u) << "a broadcast that one has read";
    }
    const auto assignments = p.run(p.store->list_assignments({.include_done = true, .include_archived = true}));
    EXPECT_EQ(assignments.size(), file.path().stem() == "v6" ? 2u : 0u) << "named tasks";
    for (const auto& a : assignments) EXPECT_EQ(p.run(p.store->assignment_history(a.number)).size(), 2u);
    EXPECT_TRUE(p.run(p.store->create_team({.team_id = "0123456789ab", .name = "t", .members = {"a"}})));
    const auto fresh = p.launch("new", "", "d");
    EXPECT_EQ(fresh.known, Known::fresh);
    EXPECT_TRUE(p.run(p.store->add_memory(fresh.run.session, {.content = "x"}, "key")));
    EXPECT_TRUE(p.run(p.store->add_memory(page.items.front().session, {.content = "x"}, "key")));
  }
  EXPECT_EQ(versions, sqlite::kSchemaVersion);
}

TEST_F(SqliteStoreTest, AForeignDatabaseIsRefusedAndLeftAlone) {
  {
    sqlite::Database db(home + "/outlast.db", sqlite::OpenMode::read_write);
    db.execute("CREATE TABLE theirs(x)");
  }
  EXPECT_THROW(Process p(home), base::Broken);
  std::ofstream(home + "/outlast.db", std::ios::trunc) << "this is no database, it is a text of some length that SQLite will not take";
  EXPECT_THROW(Process p(home), base::Broken);
}

}  // namespace
}  // namespace store
