#include "tool/team_tools.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "base/limits.h"
#include "tool/team_mail.h"
#include "tool/tool_fixture.h"

namespace tool {
namespace {

using testing::HasSubstr;

class FakeMail final : public TeamMail {
 public:
  aio::Task<base::Result<Sent>> send(const Context&, std::vector<std::string> to, std::string content) override {
    if (!seated) co_return base::fail(base::Errc::not_found, "this run is not a member of a team");
    sent.push_back({.from = "me", .to = to, .content = content});
    co_return Sent{"0123456789ab", run::outsiders(to, {"a", "me"}), {"a", "me"}};
  }
  aio::Task<base::Result<Received>> receive(const Context&) override {
    if (!seated) co_return base::fail(base::Errc::not_found, "this run is not a member of a team");
    co_return Received{"me", inbox, more};
  }
  std::vector<run::TeamMail> sent, inbox;
  bool seated = true, more = false;
};

class TeamToolsTest : public ToolTest {
 protected:
  Outcome call(const std::string& name, const std::string& arguments) {
    Context context{.run_id = "run", .call_id = "call"};
    context.team_mail = &mail;
    return await(tools.call(name, arguments, std::move(context)));
  }
  std::string ok(const std::string& name, const std::string& arguments) {
    const auto outcome = call(name, arguments);
    EXPECT_FALSE(outcome.is_error) << outcome.text;
    return outcome.text;
  }
  std::string fails(const std::string& name, const std::string& arguments) {
    const auto outcome = call(name, arguments);
    EXPECT_TRUE(outcome.is_error) << outcome.text;
    return outcome.text;
  }

  FakeMail mail;
  Toolbox tools{team_tools()};
};

TEST_F(TeamToolsTest, ToIsAllOneNameOrAList) {
  EXPECT_EQ(ok("team_send", R"({"to":"all","content":"x"})"), R"({"sent":true,"id":"0123456789ab"})");
  ok("team.send", R"({"to":"a, b","content":"x"})");
  ok("team_send", R"({"to":["a"],"content":"x"})");
  ok("team_send", R"({"to":["ALL","a"],"content":"x"})");
  ASSERT_EQ(mail.sent.size(), 4u);
  EXPECT_THAT(mail.sent[0].to, testing::ElementsAre("*"));
  EXPECT_THAT(mail.sent[1].to, testing::ElementsAre("a", "b"));
  EXPECT_THAT(mail.sent[2].to, testing::ElementsAre("a"));
  EXPECT_THAT(mail.sent[3].to, testing::ElementsAre("*"));
}

TEST_F(TeamToolsTest, AnOutsiderIsWrittenToAndSaid) {
  EXPECT_THAT(ok("team_send", R"({"to":["z"],"content":"x"})"), HasSubstr("not members of the team: z; its members are a, me"));
}

TEST_F(TeamToolsTest, WhatCannotBeSentIsRefusedWithTheReason) {
  EXPECT_THAT(fails("team_send", R"({"to":[],"content":"x"})"), HasSubstr("'to': at least one name"));
  EXPECT_THAT(fails("team_send", R"({"to":"all","content":"  "})"), HasSubstr("the message is empty"));
  EXPECT_THAT(fails("team_send", R"({"content":"x"})"), HasSubstr("'to' is required"));
  EXPECT_THAT(fails("team_send", R"({"to":["a\u0007"],"content":"x"})"), HasSubstr("control character"));
  EXPECT_TRUE(mail.sent.empty());
  mail.seated = false;
  EXPECT_THAT(fails("team_send", R"({"to":"all","content":"x"})"), HasSubstr("team_send: this run is not a member of a team"));
  EXPECT_THAT(fails("team_receive", "{}"), HasSubstr("not a member"));
  EXPECT_EQ(await(tools.call("team_receive", "{}", {"run", "call"})).text, "team_receive: no team can be reached here");
}

TEST_F(TeamToolsTest, MessagesAreShownWithWhoSentThem) {
  EXPECT_EQ(ok("team_receive", "{}"), R"({"messages":[]})");
  mail.inbox = {{.from = "a", .to = {"*"}, .content = "hello", .at_ms = 0, .from_op = "o1"},
                {.from = "b", .to = {"me", "c"}, .content = "you", .at_ms = 0}};
  mail.more = true;
  EXPECT_EQ(ok("team_receive", "{}"),
            R"({"messages":[{"from":"a","to":"all","at":"1970-01-01T00:00:00Z","from_op":"o1","content":"hello"},)"
            R"({"from":"b","to":"me","at":"1970-01-01T00:00:00Z","content":"you"}],)"
            R"("more":"there are further messages; call team_receive again"})");
}

TEST_F(TeamToolsTest, AnAnswerFitsHoweverItsMessagesAreEscaped) {
  constexpr auto kMax = base::limits::kTeamReceivedBytesMax;
  mail.inbox = {{.from = "a", .to = {"*"}, .content = std::string(kMax - 1, '\x01')},
                {.from = "a", .to = {"*"}, .content = std::string(base::limits::kTeamMailBytesMax, '\x01')}};
  const auto answer = ok("team_receive", "{}");
  EXPECT_LE(answer.size(), base::limits::kToolResultBytesMax);
  const auto value = base::parse_json(answer);
  ASSERT_TRUE(value) << "it was not cut";
  for (const auto& message : value->at("messages").as_array()) EXPECT_GT(message.at("bytes_left_out").as_int64(), 0);
}

}  // namespace
}  // namespace tool
