// Named tasks in the store.
#include <thread>

#include "store/store_fixture.h"

namespace store {
namespace {

struct Desk : Process {
  using Process::Process;
  base::Result<Assignment> add(const std::string& slug, const std::string& alias = "") {
    Assignment a;
    a.slug = slug;
    a.alias = alias;
    a.name = "Name of " + slug;
    a.work_dir = "/work";
    a.brief = "/tasks/" + slug + "/brief.md";
    return add(std::move(a));
  }
  base::Result<Assignment> add(Assignment a) { return run(store->add_assignment(std::move(a))); }
  base::Result<Assignment> find(std::string which) { return run(store->find_assignment(std::move(which))); }
  base::Result<Assignment> change(Assignment a, std::vector<AssignmentEntry> entries = {}) {
    return run(store->change_assignment(std::move(a), std::move(entries)));
  }
  std::string list(AssignmentFilter filter = {}) {
    std::string slugs;
    for (const auto& a : run(store->list_assignments(std::move(filter)))) slugs += (slugs.empty() ? "" : " ") + a.slug;
    return slugs;
  }
  std::string history(const Assignment& a) {
    std::string text;
    for (const auto& entry : run(store->assignment_history(a.number))) text += entry.type + entry.data + "\n";
    return text;
  }
  base::Errc failure(std::string which) { return find(std::move(which)).error().code; }
};

TEST_F(SqliteStoreTest, ATaskKeepsAllOfItsFields) {
  Assignment a;
  a.slug = "one";
  a.alias = "o";
  a.name = "The \"first\" – größte";
  a.project = "web";
  a.status = AssignmentStatus::in_progress;
  a.priority = "high";
  a.due = "2031-05-06";
  a.assignee = "ada";
  a.waiting_on = "the bank";
  a.tags = {"api", "auth"};
  a.work_dir = "/w";
  a.repository = "/r";
  a.check = "make test";
  a.notify = "tell me";
  a.brief = "/b";
  a.harness = "claude";
  a.session_id = "s-1";
  a.background = a.unattended = true;
  a.run_id = "20260420T140312-0123456789ab";
  a.starts = 3;
  a.session_started_ms = 5;
  a.session_resumed_ms = 6;
  {
    Desk p(home);
    const auto added = p.add(a);
    ASSERT_TRUE(added);
    EXPECT_EQ(added->version, 1);
    EXPECT_GT(added->created_ms, 0);
    EXPECT_EQ(added->created_ms, added->updated_ms);
  }
  Desk p(home);
  const auto found = p.find("one");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->alias == "o" && found->name == a.name && found->project == "web" && found->status == a.status);
  EXPECT_TRUE(found->priority == "high" && found->due == a.due && found->assignee == "ada" && found->waiting_on == "the bank");
  EXPECT_TRUE(found->tags == a.tags && found->work_dir == "/w" && found->brief == "/b" && found->harness == "claude");
  EXPECT_TRUE(found->repository == "/r" && found->check == "make test" && found->notify == "tell me");
  EXPECT_TRUE(found->session_id == "s-1" && found->background && found->unattended && found->run_id == a.run_id &&
              found->starts == 3);
  EXPECT_TRUE(found->session_started_ms == 5 && found->session_resumed_ms == 6 && !found->archived);
  EXPECT_EQ(p.history(*found), "created{\"name\":\"The \\\"first\\\" – größte\"}\n");
}

TEST_F(SqliteStoreTest, NoTwoTasksShareASlugOrAnAlias) {
  Desk p(home);
  ASSERT_TRUE(p.add("one", "first"));
  EXPECT_EQ(p.add("one").error().code, base::Errc::conflict);
  EXPECT_EQ(p.add("first").error().code, base::Errc::conflict) << "an alias is not another's slug";
  EXPECT_EQ(p.add("two", "first").error().code, base::Errc::conflict);
  EXPECT_EQ(p.add("two", "one").error().code, base::Errc::conflict) << "... nor the other way round";
  const auto two = p.add("two");
  ASSERT_TRUE(two) << "no alias is no word that could be taken";
  ASSERT_TRUE(p.add("three"));
  auto changed = *two;
  for (const auto* word : {"first", "three"}) {
    changed.alias = word;
    EXPECT_EQ(p.change(changed).error().code, base::Errc::conflict) << word;
  }
  changed.alias = "second";
  ASSERT_TRUE(p.change(changed));
  EXPECT_EQ(p.find("second")->slug, "two");
  EXPECT_EQ(p.find("two")->alias, "second");
}

TEST_F(SqliteStoreTest, ATaskIsFoundByAliasSlugAndUniqueBeginning) {
  Desk p(home);
  ASSERT_TRUE(p.add("fix-login", "fl"));
  ASSERT_TRUE(p.add("fix-logout"));
  ASSERT_TRUE(p.add("fix"));
  ASSERT_TRUE(p.add("other", "fix-l"));
  EXPECT_EQ(p.find("fl")->slug, "fix-login");
  EXPECT_EQ(p.find("fix-logi")->slug, "fix-login");
  EXPECT_EQ(p.find("fix")->slug, "fix") << "a whole slug before the beginning of others";
  EXPECT_EQ(p.find("fix-l")->slug, "other") << "an alias before a beginning";
  EXPECT_EQ(p.find("oth")->slug, "other");
  EXPECT_EQ(p.failure("fix-"), base::Errc::ambiguous);
  const auto told = p.find("fix-").error().message;
  for (const auto* slug : {"fix-login", "fix-logout"}) EXPECT_NE(told.find(slug), std::string::npos) << told;
  for (const auto* none : {"", "x", "fix-login-2", "F", "%", "*", "f_x"})
    EXPECT_EQ(p.failure(none), base::Errc::not_found) << none;
}

TEST_F(SqliteStoreTest, AnAmbiguousBeginningNamesFiveAtMost) {
  Desk p(home);
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(p.add("t-" + std::to_string(i)));
  const auto told = p.find("t-").error().message;
  EXPECT_NE(told.find("t-4"), std::string::npos) << told;
  EXPECT_EQ(told.find("t-5"), std::string::npos) << told;
  EXPECT_TRUE(told.ends_with("...")) << told;
}

TEST_F(SqliteStoreTest, AnArchivedTaskIsNamedByItsWholeSlugAlone) {
  Desk p(home);
  auto a = *p.add("old-one", "o");
  a.archived = true;
  ASSERT_TRUE(p.change(a));
  EXPECT_EQ(p.failure("o"), base::Errc::not_found);
  EXPECT_EQ(p.failure("old"), base::Errc::not_found);
  EXPECT_TRUE(p.find("old-one")->archived);
  EXPECT_EQ(p.list(), "");
  EXPECT_EQ(p.list({.include_archived = true}), "old-one");
}

TEST_F(SqliteStoreTest, OfTwoWritersTheSecondLooksAgain) {
  Desk first(home), second(home);
  const auto seen = *first.add("one");
  auto by_second = *second.find("one");
  by_second.assignee = "second";
  const auto done = second.change(by_second, {{.type = "updated", .data = R"({"by":2})"}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->version, seen.version + 1);
  auto by_first = seen;
  by_first.waiting_on = "first";
  EXPECT_EQ(first.change(by_first, {{.type = "updated", .data = R"({"by":1})"}}).error().code, base::Errc::conflict);
  by_first = *first.find("one");
  EXPECT_TRUE(by_first.assignee == "second" && by_first.waiting_on.empty()) << "a refused change leaves nothing";
  by_first.waiting_on = "first";
  ASSERT_TRUE(first.change(by_first, {{.type = "updated", .data = R"({"by":1})"}}));
  const auto both = *second.find("one");
  EXPECT_TRUE(both.assignee == "second" && both.waiting_on == "first");
  EXPECT_EQ(second.history(both), "created{\"name\":\"Name of one\"}\nupdated{\"by\":2}\nupdated{\"by\":1}\n");
}

TEST_F(SqliteStoreTest, ManyWritersLoseNoChange) {
  constexpr int kWriters = 4, kChanges = 12;
  std::vector<std::unique_ptr<Desk>> desks;
  for (int i = 0; i < kWriters; ++i) desks.push_back(std::make_unique<Desk>(home));
  ASSERT_TRUE(desks[0]->add("one"));
  std::vector<std::thread> threads;
  for (auto& desk : desks)
    threads.emplace_back([&desk] {
      for (int i = 0; i < kChanges; ++i)
        for (bool done = false; !done;) {
          auto a = *desk->find("one");
          ++a.starts;
          done = desk->change(a, {{.type = "started", .data = "{}"}}).has_value();
        }
    });
  for (auto& thread : threads) thread.join();
  const auto after = *desks[0]->find("one");
  EXPECT_EQ(after.starts, kWriters * kChanges);
  EXPECT_EQ(after.version, 1 + kWriters * kChanges);
  EXPECT_EQ(desks[0]->run(desks[0]->store->assignment_history(after.number)).size(), 1u + kWriters * kChanges);
}

TEST_F(SqliteStoreTest, HistoryIsOnlyAddedTo) {
  Desk p(home);
  auto a = *p.add("one");
  a = *p.change(a, {{.at_ms = 5, .type = "started", .data = "{}"}, {.type = "session", .data = R"({"id":"s"})"}});
  a = *p.change(a);
  a.slug = "renamed";
  ASSERT_TRUE(p.change(a, {{.type = "status", .data = "{}"}}));
  EXPECT_EQ(p.failure("renamed"), base::Errc::not_found) << "a slug is for ever";
  const auto entries = p.run(p.store->assignment_history(a.number));
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[1].at_ms, 5) << "a time that is given is kept";
  EXPECT_GT(entries[2].at_ms, 5);
  EXPECT_EQ(p.history(a), "created{\"name\":\"Name of one\"}\nstarted{}\nsession{\"id\":\"s\"}\nstatus{}\n");
  EXPECT_EQ(p.history(*p.add("two")), "created{\"name\":\"Name of two\"}\n") << "each has its own";
}

TEST_F(SqliteStoreTest, ATaskIsFoundByTheSessionItIsBoundTo) {
  Desk p(home);
  auto a = *p.add("one");
  EXPECT_EQ(p.run(p.store->assignment_of_session("")).error().code, base::Errc::not_found) << "no session is none";
  a.session_id = "s-1";
  a = *p.change(a);
  EXPECT_EQ(p.run(p.store->assignment_of_session("s-1"))->slug, "one");
  a.session_id = "s-2";
  ASSERT_TRUE(p.change(a));
  EXPECT_EQ(p.run(p.store->assignment_of_session("s-1")).error().code, base::Errc::not_found);
  EXPECT_EQ(p.run(p.store->assignment_of_session("s-2"))->slug, "one");
}

TEST_F(SqliteStoreTest, TasksAreListedByPriorityThenByTheLastChange) {
  Desk p(home);
  for (const auto& [slug, priority] :
       {std::pair("a", "low"), std::pair("b", "medium"), std::pair("c", "high"), std::pair("d", "medium")}) {
    Assignment a;
    a.slug = slug;
    a.priority = priority;
    ASSERT_TRUE(p.add(a));
  }
  EXPECT_EQ(p.list(), "c d b a");
  const auto b = *p.find("b");
  while (p.time.wall_ms() <= p.find("d")->updated_ms) p.run(p.time.sleep(std::chrono::milliseconds(1)));
  ASSERT_TRUE(p.change(b));
  EXPECT_EQ(p.list(), "c b d a");
}

TEST_F(SqliteStoreTest, FiltersOfTasksAreAnded) {
  Desk p(home);
  struct Row {
    const char *slug, *project, *priority;
    std::vector<std::string> tags;
    AssignmentStatus status;
  };
  for (const auto& row :
       {Row{"a", "web", "high", {"x"}, AssignmentStatus::backlog},
        Row{"b", "web", "low", {"x", "y"}, AssignmentStatus::in_progress}, Row{"c", "", "low", {"y"}, AssignmentStatus::done}}) {
    Assignment a;
    a.slug = row.slug;
    a.project = row.project;
    a.priority = row.priority;
    a.tags = row.tags;
    a.status = row.status;
    ASSERT_TRUE(p.add(a));
  }
  EXPECT_EQ(p.list(), "a b") << "what is done is left out";
  EXPECT_EQ(p.list({.include_done = true}), "a c b");
  EXPECT_EQ(p.list({.status = AssignmentStatus::done}), "c") << "unless it is asked for";
  EXPECT_EQ(p.list({.status = AssignmentStatus::backlog}), "a");
  EXPECT_EQ(p.list({.project = "web", .priority = "low"}), "b");
  EXPECT_EQ(p.list({.tags = {"x"}}), "a b");
  EXPECT_EQ(p.list({.tags = {"x", "y"}}), "b") << "with all of them";
  EXPECT_EQ(p.list({.tags = {"z"}}), "");
  EXPECT_EQ(p.list({.updated_since_ms = p.time.wall_ms() + 60'000, .include_done = true}), "");
  EXPECT_EQ(p.list({.updated_since_ms = p.time.wall_ms() - 60'000, .include_done = true}), "a c b");
}

}  // namespace
}  // namespace store
