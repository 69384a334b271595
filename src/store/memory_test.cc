// What sessions note, in the store.
#include "base/limits.h"
#include "store/store_fixture.h"

namespace store {
namespace {

using run::MemoryEntry;
using run::MemoryKind;

struct Noted : Process {
  using Process::Process;
  base::Result<MemoryEntry> add(SessionNumber session, MemoryKind kind, const std::string& content, std::string key = "") {
    if (key.empty()) key = base::hex(random, 16);
    return run(store->add_memory(session, {.kind = kind, .content = content}, std::move(key)));
  }
  // "1:goal", ... in the order of a look.
  std::string all(SessionNumber session, MemoryFilter filter = {}) {
    std::string text;
    for (const auto& entry : run(store->memory(session, std::move(filter))).items)
      text += (text.empty() ? "" : " ") + std::to_string(entry.number) + ":" + entry.content;
    return text;
  }
};

TEST_F(SqliteStoreTest, WhatIsNotedOutlivesTheProcessInItsOrder) {
  SessionNumber session = 0;
  {
    Noted p(home);
    session = p.launch("s").run.session;
    for (const auto* content : {"a", "b"}) ASSERT_TRUE(p.add(session, MemoryKind::fact, content));
    for (const auto* content : {"t", "u"}) ASSERT_TRUE(p.add(session, MemoryKind::todo, content));
    ASSERT_TRUE(p.add(session, MemoryKind::goal, "first"));
    ASSERT_TRUE(p.add(session, MemoryKind::goal, "second"));
  }
  Noted p(home);
  EXPECT_EQ(p.all(session), "6:second 3:t 4:u 2:b 1:a");
}

TEST_F(SqliteStoreTest, ACallNotesOnce) {
  Noted p(home);
  const auto session = p.launch("s").run.session, other = p.launch("o").run.session;
  const auto first = p.add(session, MemoryKind::fact, "a", "run/call");
  ASSERT_TRUE(first);
  EXPECT_EQ(p.add(session, MemoryKind::fact, "b", "run/call")->number, first->number);
  EXPECT_EQ(p.add(other, MemoryKind::fact, "c", "run/call")->content, "c") << "a key is a session's own";
  EXPECT_EQ(p.all(session), "1:a");
}

TEST_F(SqliteStoreTest, OnlyTodosChangeAndOnlyTheirOwnSessions) {
  Noted p(home);
  const auto session = p.launch("s").run.session, other = p.launch("o").run.session;
  ASSERT_TRUE(p.add(session, MemoryKind::fact, "a"));
  ASSERT_TRUE(p.add(session, MemoryKind::todo, "t"));
  const auto done = p.run(p.store->change_memory(session, 2, {.status = run::TodoStatus::completed}));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->status, run::TodoStatus::completed);
  EXPECT_EQ(done->content, "t");
  EXPECT_EQ(p.run(p.store->change_memory(session, 2, {.content = "u"}))->status, run::TodoStatus::completed);
  EXPECT_EQ(p.run(p.store->change_memory(session, 1, {.content = "u"})).error().code, base::Errc::conflict);
  EXPECT_EQ(p.run(p.store->change_memory(other, 2, {.content = "u"})).error().code, base::Errc::not_found);
  EXPECT_EQ(p.all(session), "2:u 1:a");
  EXPECT_EQ(p.all(session, {.open_only = true}), "1:a");
}

TEST_F(SqliteStoreTest, ANumberIsForgottenForGood) {
  Noted p(home);
  const auto session = p.launch("s").run.session;
  ASSERT_TRUE(p.add(session, MemoryKind::fact, "a"));
  ASSERT_TRUE(p.add(session, MemoryKind::fact, "b"));
  EXPECT_TRUE(p.run(p.store->forget_memory(session, 2)));
  EXPECT_TRUE(p.run(p.store->forget_memory(session, 2))) << "a call that is made again";
  EXPECT_EQ(p.run(p.store->forget_memory(session, 3)).error().code, base::Errc::not_found);
  EXPECT_EQ(p.run(p.store->forget_memory(session, -1)).error().code, base::Errc::not_found);
  EXPECT_EQ(p.add(session, MemoryKind::fact, "c")->number, 3);
  EXPECT_EQ(p.all(session), "3:c 1:a");
}

TEST_F(SqliteStoreTest, WordsAndBoundsNarrowALook) {
  Noted p(home);
  const auto session = p.launch("s").run.session;
  ASSERT_TRUE(p.add(session, MemoryKind::todo, "Write the CHANGELOG"));
  ASSERT_TRUE(p.run(p.store->add_memory(session, {.kind = MemoryKind::fact, .content = "x", .category = "Changes"}, "x")));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(p.add(session, MemoryKind::fact, std::string(100, static_cast<char>('a' + i))));
  EXPECT_EQ(p.all(session, {.contains = "change"}), "1:Write the CHANGELOG 2:x");
  EXPECT_EQ(p.all(session, {.contains = "100%_"}), "") << "no pattern, only words";
  const auto page = p.run(p.store->memory(session, {.limit = 3}));
  EXPECT_EQ(page.items.size(), 3u);
  EXPECT_EQ(page.total, 12);
  const auto bounded = p.run(p.store->memory(session, {.part_bytes_max = 250}));
  ASSERT_EQ(bounded.items.size(), 4u) << "the todo, and three facts";
  EXPECT_EQ(bounded.items.back().content.front(), 'h');
}

TEST_F(SqliteStoreTest, AFullMemoryRefusesAndSaysSo) {
  Noted p(home);
  const auto session = p.launch("s").run.session;
  ASSERT_TRUE(p.add(session, MemoryKind::goal, "first"));
  p.run(p.store->close());
  p.store.reset();
  {
    sqlite::Database db(home + "/outlast.db", sqlite::OpenMode::read_write);
    auto fill = db.query(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO memory SELECT ?, i, 2, 0, 'x', '', '', 0, 0, 'f' || i FROM n");
    fill.bind(static_cast<std::int64_t>(base::limits::kMemoryEntriesMax)).bind(session).run();
    db.query("UPDATE session SET memory_last = 1000").run();
  }
  Noted again(home);
  const auto refused = again.add(session, MemoryKind::fact, "one more");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::Errc::busy);
  EXPECT_NE(refused.error().message.find("1000 entries"), std::string::npos);
  EXPECT_TRUE(again.add(session, MemoryKind::goal, "second")) << "in the place of the first";
  ASSERT_TRUE(again.run(again.store->forget_memory(session, 5)));
  EXPECT_TRUE(again.add(session, MemoryKind::fact, "one more"));
}

TEST_F(SqliteStoreTest, ItGoesWithItsSession) {
  Noted p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto r = p.launch("s", "", "d", owner).run;
  ASSERT_TRUE(p.add(r.session, MemoryKind::fact, "a"));
  ASSERT_TRUE(p.append(r, 1, 0, 1, run::Status::completed));
  ASSERT_TRUE(p.run(p.store->remove_session("s", "s.d")));
  EXPECT_EQ(p.all(r.session), "");
  EXPECT_EQ(p.add(r.session, MemoryKind::fact, "b").error().code, base::Errc::not_found);
}

// A run with one event at this moment.
Run run_until_now(Noted& p, OwnerNumber owner) {
  const auto r = p.launch("s", "", "d", owner).run;
  Append a{.run = r.number, .epoch = 1, .count = 1, .status = run::Status::completed, .now_ms = p.time.wall_ms()};
  run::append_text_delta(a.lines, a.now_ms, "x");
  a.lines += '\n';
  EXPECT_TRUE(p.run(p.store->append(std::move(a))));
  p.run(p.time.sleep(std::chrono::milliseconds(3)));
  return r;
}

TEST_F(SqliteStoreTest, AForkBeginsWithWhatWasNotedByThen) {
  Noted p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto session = p.launch("s").run.session;
  ASSERT_TRUE(p.add(session, MemoryKind::fact, "a"));
  ASSERT_TRUE(p.add(session, MemoryKind::todo, "t"));
  const auto origin = run_until_now(p, owner);
  ASSERT_TRUE(p.add(session, MemoryKind::fact, "after it"));
  ASSERT_TRUE(p.run(p.store->change_memory(session, 2, {.status = run::TodoStatus::completed})));
  const auto fork = p.run(p.store->create_session({.session_id = "fork", .forked_from_run = origin.run_id, .forked_at = 1}));
  ASSERT_TRUE(fork);
  EXPECT_EQ(p.all(fork->number), "2:t 1:a") << "under the numbers that its conversation names";
  ASSERT_TRUE(p.add(session, MemoryKind::fact, "of the origin"));
  EXPECT_EQ(p.add(fork->number, MemoryKind::fact, "of the fork")->number, 4) << "no number that the origin had given";
  ASSERT_TRUE(p.run(p.store->forget_memory(fork->number, 1)));
  EXPECT_EQ(p.all(fork->number), "2:t 4:of the fork");
  EXPECT_EQ(p.all(session), "2:t 4:of the origin 3:after it 1:a");
}

}  // namespace
}  // namespace store
