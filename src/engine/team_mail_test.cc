// Mail of teams over a real store: what is sent once, who may, and the file that shows it.
#include "engine/team_mail.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "aio/loop_fixture.h"
#include "base/json.h"
#include "store/sqlite_store.h"
#include "tool/fd.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class TeamMailTest : public testing::Test {
 protected:
  TeamMailTest() {
    std::string name = (fs::temp_directory_path() / "outlast-mail-XXXXXX").string();
    if (!mkdtemp(name.data())) throw base::Broken("no directory");
    home = name;
    store = *store::open_sqlite_store(io, time, {.home = home});
    files.emplace(*store, time, blocking, home + "/teams");
    mail.emplace(*store, *files);
    team = *run(store->create_team({.team_id = "7fa0d9abbf5b", .name = "review", .members = {"a", "b"}}));
    for (const auto* member : {"a", "b"}) specs[member].seat = run::TeamSeat{team.team_id, member};
  }
  ~TeamMailTest() override {
    run(close());
    fs::remove_all(home);
  }
  aio::Task<int> close() {
    co_await store->close();
    co_return 0;
  }
  template <class T>
  T run(aio::Task<T> task) {
    return aio::run_to_end(io, std::move(task));
  }
  tool::Context caller(const std::string& member, const std::string& call) {
    tool::Context context{.run_id = "run-" + member, .call_id = call};
    context.spec = &specs[member];
    return context;
  }
  base::Result<tool::TeamMail::Sent> send(const std::string& member, const std::string& call, const std::string& content,
                                          std::vector<std::string> to = {"*"}) {
    const auto context = caller(member, call);
    return run(mail->send(context, std::move(to), content));
  }
  std::string receive(const std::string& member, const std::string& call) {
    const auto context = caller(member, call);
    const auto received = run(mail->receive(context));
    if (!received) return received.error().message;
    std::string text;
    for (const auto& one : received->mails) text += (text.empty() ? "" : " ") + one.content;
    return text;
  }
  json::object file() {
    std::ifstream stream(home + "/teams/7fa0d9abbf5b.json");
    std::stringstream text;
    text << stream.rdbuf();
    const auto value = base::parse_json(text.str());
    return value && value->is_object() ? value->get_object() : json::object();
  }

  boost::asio::io_context io{1};
  aio::SystemTime time{io};
  aio::Offload blocking{1};
  std::string home;
  std::unique_ptr<store::Store> store;
  std::optional<TeamFiles> files;
  std::optional<TeamMail> mail;
  store::Team team;
  std::map<std::string, run::Spec> specs;
};

TEST_F(TeamMailTest, ACallSendsOnceAndReadsTheSameWhenItIsMadeAgain) {
  const auto first = send("a", "c1", "one");
  ASSERT_TRUE(first);
  EXPECT_EQ(send("a", "c1", "one")->mail_id, first->mail_id);
  EXPECT_TRUE(send("b", "c1", "two", {"a"}));
  EXPECT_EQ(receive("b", "c2"), "one");
  EXPECT_TRUE(send("a", "c3", "three", {"b"}));
  EXPECT_EQ(receive("b", "c2"), "one") << "its answer was lost, not its messages";
  EXPECT_EQ(receive("b", "c4"), "three");
  EXPECT_EQ(receive("b", "c5"), "");
  EXPECT_EQ(receive("a", "c6"), "two") << "what it said to all is no news to it";
}

TEST_F(TeamMailTest, OneWithoutASeatHasNoMail) {
  specs["nobody"] = {};
  EXPECT_EQ(send("nobody", "c", "x").error().code, base::Errc::not_found);
  EXPECT_EQ(receive("nobody", "c"), "this run is not a member of a team, so it has no mail");
  specs["lost"].seat = run::TeamSeat{"gone", "a"};
  EXPECT_EQ(receive("lost", "c"), "No team found matching 'gone'");
  const auto client = run(mail->receive({.run_id = "", .call_id = ""}));
  EXPECT_FALSE(client) << "a call that no run makes";
}

TEST_F(TeamMailTest, TheFileShowsWhatTheStoreHolds) {
  EXPECT_EQ(send("a", "c1", "one", {"b", "z"})->outsiders, std::vector<std::string>{"z"});
  EXPECT_EQ(receive("b", "c2"), "one");
  const auto shown = file();
  EXPECT_EQ(shown.at("id"), "7fa0d9abbf5b");
  EXPECT_EQ(shown.at("name"), "review");
  EXPECT_EQ(base::to_text(shown.at("members")), R"(["a","b"])");
  const auto& message = shown.at("messages").at(0).as_object();
  EXPECT_EQ(base::to_text(message.at("to")), R"(["b","z"])");
  EXPECT_EQ(message.at("from"), "a");
  EXPECT_EQ(message.at("content"), "one");
  EXPECT_EQ(message.at("timestamp").as_string().size(), 24u);
  EXPECT_EQ(message.at("read_by").as_object().size(), 1u);
  EXPECT_TRUE(message.at("read_by").as_object().contains("b"));
  EXPECT_FALSE(message.contains("from_op") || message.contains("kind") || message.contains("artifacts"));
}

TEST_F(TeamMailTest, AFileThatIsGoneOrTornComesBackWithTheNextChange) {
  ASSERT_TRUE(send("a", "c1", "one"));
  fs::remove_all(home + "/teams");
  ASSERT_TRUE(send("a", "c2", "two"));
  EXPECT_EQ(file().at("messages").as_array().size(), 2u);
  std::ofstream(home + "/teams/7fa0d9abbf5b.json", std::ios::trunc) << "{\"messages\":[";
  ASSERT_TRUE(send("a", "c3", "three"));
  EXPECT_EQ(file().at("messages").as_array().size(), 3u);
}

TEST_F(TeamMailTest, WithoutItsFileAMessageIsSentAllTheSame) {
  std::ofstream(home + "/teams") << "no directory";
  ASSERT_TRUE(send("a", "c1", "one"));
  EXPECT_EQ(run(files->refresh(team)).error().code, base::Errc::unavailable);
  EXPECT_EQ(receive("b", "c2"), "one");
}

TEST_F(TeamMailTest, AHeldDirectoryIsWaitedForButNotForEver) {
  ASSERT_TRUE(send("a", "c1", "one"));
  const tool::Fd held(open((home + "/teams").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(held.get(), LOCK_EX), 0);
  ASSERT_TRUE(send("a", "c2", "two"));
  EXPECT_EQ(file().at("messages").as_array().size(), 1u);
  ASSERT_EQ(flock(held.get(), LOCK_UN), 0);
  EXPECT_TRUE(run(files->refresh(team)));
  EXPECT_EQ(file().at("messages").as_array().size(), 2u);
}

}  // namespace
}  // namespace engine
