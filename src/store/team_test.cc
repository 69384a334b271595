// Teams and their mail, in the store.
#include <set>

#include "base/limits.h"
#include "store/store_fixture.h"

namespace store {
namespace {

namespace limits = base::limits;
using run::TeamMail;

struct Mailing : Process {
  using Process::Process;
  base::Result<Team> create(const std::string& id, const std::string& name, std::vector<std::string> members = {"a", "b"}) {
    return run(store->create_team({.team_id = id, .name = name, .members = std::move(members)}));
  }
  base::Result<TeamMail> send(const Team& team, const std::string& content, std::vector<std::string> to = {"*"},
                              std::string key = "", const std::string& from = "a") {
    if (key.empty()) key = base::hex(random, 16);
    return run(store->send_mail(team.number, {.from = from, .to = std::move(to), .content = content}, std::move(key)));
  }
  // "one two", and "..." where there is more.
  std::string receive(const Team& team, const std::string& member, MailPage page = {}, std::string key = "") {
    if (key.empty()) key = base::hex(random, 16);
    const auto taken = run(store->receive_mail(team.number, member, page, std::move(key)));
    if (!taken) return taken.error().message;
    std::string text;
    for (const auto& mail : taken->mails) text += (text.empty() ? "" : " ") + mail.content;
    return text + (taken->more ? " ..." : "");
  }
  // "one(a,b) two()", ... with who has read them, in the order of names.
  std::string all(const Team& team) {
    std::string text;
    for (const auto& mail : run(store->team_mail(team.number))) {
      std::set<std::string> readers;
      for (const auto& read : mail.read_by) readers.insert(read.member);
      EXPECT_EQ(readers.size(), mail.read_by.size());
      text += (text.empty() ? "" : " ") + mail.content + "(";
      for (const auto& reader : readers) text += (text.ends_with('(') ? "" : ",") + reader;
      text += ")";
    }
    return text;
  }
  base::Errc failure(std::string which) { return run(store->find_team(std::move(which))).error().code; }
};

TEST_F(SqliteStoreTest, ATeamIsFoundByIdNameAndBeginning) {
  Mailing p(home);
  ASSERT_TRUE(p.create("aaaaaaaaaaaa", "one"));
  ASSERT_TRUE(p.create("aabbbbbbbbbb", "two"));
  ASSERT_TRUE(p.create("bbbbbbbbbbbb", "two"));
  ASSERT_TRUE(p.create("cccccccccccc", "aab"));
  EXPECT_EQ(p.run(p.store->find_team("aabbbbbbbbbb"))->name, "two");
  EXPECT_EQ(p.run(p.store->find_team("one"))->team_id, "aaaaaaaaaaaa");
  EXPECT_EQ(p.run(p.store->find_team("b"))->team_id, "bbbbbbbbbbbb");
  EXPECT_EQ(p.run(p.store->find_team("aab"))->team_id, "cccccccccccc") << "a whole name before a piece of an id";
  EXPECT_EQ(p.failure("aa"), base::Errc::ambiguous);
  EXPECT_EQ(p.failure("two"), base::Errc::ambiguous);
  const auto told = p.run(p.store->find_team("two")).error().message;
  for (const auto* id : {"aabbbbbbbbbb", "bbbbbbbbbbbb"}) EXPECT_NE(told.find(id), std::string::npos) << told;
  for (const auto* none : {"", "d", "One", "aaaaaaaaaaaa0", "%", "*"}) EXPECT_EQ(p.failure(none), base::Errc::not_found) << none;
}

TEST_F(SqliteStoreTest, TeamsAreListedNewestFirstAndOutliveTheProcess) {
  {
    Mailing p(home);
    ASSERT_TRUE(p.create("aaaaaaaaaaaa", "one", {"a", "b \"c\""}));
    const auto second = p.create("bbbbbbbbbbbb", "two");
    ASSERT_TRUE(p.send(*second, "x"));
    EXPECT_EQ(p.create("bbbbbbbbbbbb", "two")->number, second->number) << "the same again is the same team";
    EXPECT_EQ(p.create("bbbbbbbbbbbb", "other").error().code, base::Errc::conflict);
  }
  Mailing p(home);
  const auto teams = p.run(p.store->list_teams());
  ASSERT_EQ(teams.size(), 2u);
  EXPECT_EQ(teams[0].message_count, 1);
  EXPECT_EQ(teams[1].members, (std::vector<std::string>{"a", "b \"c\""}));
  EXPECT_EQ(p.all(teams[0]), "x()");
}

TEST_F(SqliteStoreTest, EachMemberReadsItsMailOnce) {
  Mailing p(home);
  const auto team = *p.create("aaaaaaaaaaaa", "t"), other = *p.create("bbbbbbbbbbbb", "o");
  ASSERT_TRUE(p.send(team, "1"));
  ASSERT_TRUE(p.send(team, "2", {"b"}));
  ASSERT_TRUE(p.send(team, "3", {"a", "c"}));
  ASSERT_TRUE(p.send(other, "elsewhere"));
  EXPECT_EQ(p.receive(team, "b"), "1 2");
  EXPECT_EQ(p.receive(team, "b"), "");
  EXPECT_EQ(p.all(team), "1(b) 2(b) 3()");
  ASSERT_TRUE(p.send(team, "4", {"b"}));
  EXPECT_EQ(p.receive(team, "c"), "1 3") << "an outsider may read";
  EXPECT_EQ(p.receive(team, "b"), "4");
  EXPECT_EQ(p.receive(team, "B"), "1") << "names are exact";
  EXPECT_EQ(p.all(team), "1(B,b,c) 2(b) 3(c) 4(b)");
  EXPECT_EQ(p.all(other), "elsewhere()");
}

TEST_F(SqliteStoreTest, AKeySendsOnceAndReadsTheSameAgain) {
  Mailing p(home);
  const auto team = *p.create("aaaaaaaaaaaa", "t"), other = *p.create("bbbbbbbbbbbb", "o");
  const auto first = p.send(team, "1", {"*"}, "run/call");
  ASSERT_TRUE(first);
  EXPECT_EQ(p.send(team, "again", {"b"}, "run/call")->mail_id, first->mail_id);
  EXPECT_NE(p.send(other, "1", {"*"}, "run/call")->mail_id, first->mail_id) << "a key is a team's own";
  EXPECT_EQ(p.receive(team, "b", {}, "run/look"), "1");
  ASSERT_TRUE(p.send(team, "2"));
  EXPECT_EQ(p.receive(team, "b", {}, "run/look"), "1 ...") << "what it took then, and that there is more now";
  EXPECT_EQ(p.receive(team, "b"), "2");
  EXPECT_EQ(p.all(team), "1(b) 2(b)");
  EXPECT_EQ(p.run(p.store->find_team("t"))->message_count, 2);
}

TEST_F(SqliteStoreTest, ALookTakesNoMoreThanItsPage) {
  Mailing p(home);
  const auto team = *p.create("aaaaaaaaaaaa", "t");
  for (const auto* content : {"11111", "22222", "33333", "4"}) ASSERT_TRUE(p.send(team, content));
  EXPECT_EQ(p.receive(team, "b", {.bytes_max = 6}), "11111 22222 ...");
  EXPECT_EQ(p.receive(team, "b", {.messages_max = 1}), "33333 ...");
  EXPECT_EQ(p.receive(team, "b", {.bytes_max = 1}), "4") << "one in any case, and the last has none behind it";
}

TEST_F(SqliteStoreTest, MailKeepsWhatItsSenderGave) {
  Mailing p(home);
  const auto team = *p.create("aaaaaaaaaaaa", "t");
  const auto sent = p.run(p.store->send_mail(team.number,
                                             {.from = "a\"b",
                                              .to = {"c'd", "*x"},
                                              .content = std::string("ü\n\t'; DROP TABLE team; --"),
                                              .from_op = "o1",
                                              .kind = "done",
                                              .artifacts = R"(["x.md"])"},
                                             "k"));
  ASSERT_TRUE(sent);
  const auto kept = p.run(p.store->team_mail(team.number));
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].from, "a\"b");
  EXPECT_EQ(kept[0].to, (std::vector<std::string>{"c'd", "*x"}));
  EXPECT_EQ(kept[0].content, "ü\n\t'; DROP TABLE team; --");
  EXPECT_EQ(kept[0].from_op + kept[0].kind + kept[0].artifacts, R"(o1done["x.md"])");
  EXPECT_EQ(kept[0].mail_id.size(), 12u);
  EXPECT_EQ(p.receive(team, "c'd"), kept[0].content);
}

TEST_F(SqliteStoreTest, ATeamThatIsFullTakesNoMore) {
  Mailing p(home);
  const auto team = *p.create("aaaaaaaaaaaa", "t");
  {
    sqlite::Database db(home + "/outlast.db", sqlite::OpenMode::read_write);
    auto q = db.query("UPDATE team SET message_count = ?, message_bytes = 0");
    q.bind(limits::kTeamMailsMax - 1);
    q.run();
  }
  EXPECT_TRUE(p.send(team, "last", {"*"}, "k"));
  EXPECT_EQ(p.send(team, "one more").error().code, base::Errc::busy);
  EXPECT_TRUE(p.send(team, "last", {"*"}, "k")) << "it was sent";
  EXPECT_EQ(p.run(p.store->send_mail(99, {.from = "a", .to = {"*"}, .content = "x"}, "k")).error().code, base::Errc::not_found);
}

TEST_F(SqliteStoreTest, TwoProcessesSendAtOnceAndNothingIsLostOrReadTwice) {
  Mailing p(home), q(home);
  const auto team = *p.create("aaaaaaaaaaaa", "t");
  std::string read;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(p.send(team, "p" + std::to_string(i)));
    ASSERT_TRUE(q.send(team, "q" + std::to_string(i)));
    read += (read.empty() ? "" : " ") + (i % 2 ? p : q).receive(team, "b");
  }
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    const auto n = std::to_string(i);
    expected += (i ? " p" : "p") + n + " q" + n;
  }
  EXPECT_EQ(read, expected);
  EXPECT_EQ(p.receive(team, "b"), "");
}

}  // namespace
}  // namespace store
