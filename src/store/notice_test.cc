// Tasks and notices in the store.
#include "store/store_fixture.h"

namespace store {
namespace {

Run launch_task(Process& p, OwnerNumber owner, bool awaited = false) {
  Launch l;
  l.run_id = base::new_run_id(p.time, p.random);
  l.kind = kKindTool;
  l.component_id = "shell.bash";
  l.session_id = "s";
  l.parent_run_id = "parent";
  l.awaited = awaited;
  l.tasks_max = 2;
  l.spec = "{}";
  l.claim_for = owner;
  auto launched = p.run(p.store->launch(std::move(l)));
  EXPECT_EQ(launched.known, Known::fresh);
  return launched.run;
}

base::Result<> end_at(Process& p, const Run& task, std::int64_t now_ms) {
  Append a{.run = task.number, .epoch = 1, .lines = lines_of(0, 1), .count = 1, .status = run::Status::completed, .now_ms = now_ms};
  return p.run(p.store->append(std::move(a)));
}

TEST_F(SqliteStoreTest, TheEndOfATaskIsToldOnce) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto agent = p.launch("s", "", "d", owner).run;
  const auto task = launch_task(p, owner), awaited = launch_task(p, owner, true);
  ASSERT_TRUE(p.append(task, 1, 0, 2, run::Status::error));
  ASSERT_TRUE(p.append(awaited, 1, 0, 2, run::Status::completed));
  const auto notices = p.run(p.store->notices(agent.session));
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices.front().task_id, task.run_id);
  EXPECT_EQ(notices.front().kind, kNoticeEnded);
  EXPECT_TRUE(p.run(p.store->sessions_to_wake(INT64_MAX)).empty()) << "its agent is at work";

  const auto tell = [&](int first) {
    Append a;
    a.run = agent.number;
    a.epoch = 1;
    a.first = static_cast<std::uint64_t>(first);
    a.lines = lines_of(first, 1);
    a.count = 1;
    a.tells = {notices.front().number};
    return p.run(p.store->append(std::move(a)));
  };
  ASSERT_TRUE(tell(0));
  EXPECT_EQ(tell(1).error().code, base::Errc::conflict);
  EXPECT_TRUE(p.run(p.store->notices(agent.session)).empty());
  EXPECT_EQ(p.run(p.store->read(agent.number, 0)).count, 1u) << "what told nothing was not appended";
}

TEST_F(SqliteStoreTest, ACodingAgentsRunIsNotDoneWhileAMessageForItWaits) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  Launch l;
  l.run_id = base::new_run_id(p.time, p.random);
  l.kind = kKindHarness;
  l.component_id = "claude";
  l.session_id = "s";
  l.spec = "{}";
  l.claim_for = owner;
  const auto run = p.run(p.store->launch(std::move(l))).run;
  p.run(p.store->add_notice(run, std::string(kNoticeMessage), R"({"id":"m","text":"and this"})"));
  EXPECT_TRUE(p.run(p.store->sessions_to_wake(INT64_MAX)).empty()) << "whoever writes one looks after it";
  EXPECT_EQ(p.append(run, 1, 0, 1, run::Status::completed).error().code, base::Errc::conflict);
  Append tell{.run = run.number, .epoch = 1, .lines = lines_of(0, 1), .count = 1};
  tell.tells = {p.run(p.store->notices(run.session)).front().number};
  ASSERT_TRUE(p.run(p.store->append(std::move(tell))));
  EXPECT_TRUE(p.append(run, 1, 1, 1, run::Status::completed));
}

TEST_F(SqliteStoreTest, OneLookShowsAllThatAModelIsTold) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto agent = p.launch("s", "", "d", owner).run;
  const auto live = launch_task(p, owner), ended = launch_task(p, owner);
  ASSERT_TRUE(p.append(ended, 1, 0, 2, run::Status::completed));
  ASSERT_TRUE(p.run(p.store->add_memory(agent.session, {.content = "noted"}, "key")));
  const auto all = p.run(p.store->surroundings(agent.session, MemoryFilter{}));
  ASSERT_EQ(all.live_tasks.size(), 1u);
  EXPECT_EQ(all.live_tasks.front().run_id, live.run_id);
  ASSERT_EQ(all.notices.size(), 1u);
  EXPECT_EQ(all.notices.front().task_id, ended.run_id);
  ASSERT_EQ(all.memory.items.size(), 1u);
  EXPECT_EQ(all.memory.items.front().content, "noted");
  EXPECT_TRUE(p.run(p.store->surroundings(agent.session, std::nullopt)).memory.items.empty());
}

TEST_F(SqliteStoreTest, WhoTookTheResultIsNotToldAgain) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto agent = p.launch("s", "", "d", owner).run;
  const auto task = launch_task(p, owner);
  ASSERT_TRUE(p.append(task, 1, 0, 2, run::Status::completed));
  Append a;
  a.run = agent.number;
  a.epoch = 1;
  a.lines = lines_of(0, 1);
  a.count = 1;
  a.told_tasks = {task.run_id};
  ASSERT_TRUE(p.run(p.store->append(std::move(a))));
  EXPECT_TRUE(p.run(p.store->notices(agent.session)).empty());
}

TEST_F(SqliteStoreTest, AnIdleSessionWithNewsIsFoundAndRoomIsForLiveTasks) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  const auto agent = p.launch("s", "", "d", owner).run;
  const auto first = launch_task(p, owner), second = launch_task(p, owner);
  Launch l;
  l.run_id = base::new_run_id(p.time, p.random);
  l.kind = kKindTool;
  l.session_id = "s";
  l.spec = "{}";
  l.tasks_max = 2;
  EXPECT_EQ(p.run(p.store->launch(l)).known, Known::no_room);
  launch_task(p, owner, true);  // a call that is waited for is not in the background
  ASSERT_TRUE(p.append(first, 1, 0, 2, run::Status::completed));
  EXPECT_EQ(p.run(p.store->launch(std::move(l))).known, Known::fresh);
  ASSERT_TRUE(p.append(agent, 1, 0, 2, run::Status::completed));
  const auto idle = p.run(p.store->sessions_to_wake(INT64_MAX));
  ASSERT_EQ(idle.size(), 1u);
  EXPECT_EQ(idle.front().session_id, "s");
  EXPECT_EQ(idle.front().run_count, 1) << "tasks are not its conversation";
  EXPECT_TRUE(p.run(p.store->sessions_to_wake(0)).empty());
  EXPECT_EQ(p.run(p.store->history(agent.session, 100)).size(), 1u);
}

TEST_F(SqliteStoreTest, TasksAreListedLiveOnesFirst) {
  Process p(home);
  const auto owner = p.run(p.store->register_owner());
  std::vector<store::Run> ended;
  for (int i = 0; i < 4; ++i) {
    ended.push_back(launch_task(p, owner));
    ASSERT_TRUE(end_at(p, ended.back(), 1'000 - i));
  }
  const auto live = launch_task(p, owner);
  launch_task(p, owner, true);
  const auto listed = [&](std::int64_t ended_max, std::int64_t since_ms) {
    std::vector<std::string> ids;
    for (const auto& task : p.run(p.store->tasks({"s", 10, ended_max, since_ms}))) ids.push_back(task.run_id);
    return ids;
  };
  EXPECT_EQ(listed(2, 0), (std::vector{live.run_id, ended[0].run_id, ended[1].run_id})) << "those that ended last";
  EXPECT_EQ(listed(9, 998), (std::vector{live.run_id, ended[0].run_id, ended[1].run_id, ended[2].run_id}));
  EXPECT_EQ(listed(0, 0), std::vector{live.run_id});
  EXPECT_TRUE(p.run(p.store->tasks({"another", 10, 10, 0})).empty());
}

}  // namespace
}  // namespace store
