#include "api/apps/bodies.h"

#include <gtest/gtest.h>

#include "api/apps/approvals.h"
#include "base/limits.h"

namespace api::apps {
namespace {

template <class T>
std::string refusal(const std::expected<T, net::HttpResponse>& read) {
  return read ? "accepted" : std::to_string(read.error().status) + " " + read.error().body;
}

std::string message(const std::string& body) {
  const auto read = read_message(body);
  return read ? read->content : refusal(read);
}

TEST(AppBodies, AMessageHasOneOfThreeNames) {
  for (const auto* field : {"content", "text", "message"}) EXPECT_EQ(message("{\"" + std::string(field) + "\":\"hi\"}"), "hi");
  EXPECT_EQ(message(R"({"content":"hi","text":"hi","message":null,"attachments":[],"mode":"plan","unknown":1})"), "hi");
  EXPECT_NE(message(R"({"content":"hi","text":"ho"})").find("give the message once"), std::string::npos);
}

TEST(AppBodies, WhatIsWrongNamesItsField) {
  const std::pair<const char*, const char*> wrong[] = {{"{}", "content"},
                                                       {R"({"content":""})", "content"},
                                                       {R"({"content":5})", "content"},
                                                       {R"({"text":["a"]})", "text"},
                                                       {R"({"content":"a","client_message_id":7})", "client_message_id"},
                                                       {R"({"content":"a","attachments":["x"]})", "attachments"},
                                                       {R"({"content":"a","attachments":{}})", "attachments"},
                                                       {R"({"content":"a","mode":[]})", "mode"},
                                                       {"[]", "0"},
                                                       {"{", "0"},
                                                       {"\"x\"", "0"}};
  for (const auto& [body, field] : wrong) {
    const auto read = read_message(body);
    EXPECT_FALSE(read) << body;
    EXPECT_EQ(refusal(read).substr(0, 4), "422 ") << body;
    EXPECT_NE(refusal(read).find("\"loc\":[\"body\",\"" + std::string(field) + "\"]"), std::string::npos) << refusal(read);
  }
}

TEST(AppBodies, BoundsAreKept) {
  const auto body = [](std::size_t bytes) { return "{\"content\":\"" + std::string(bytes, 'x') + "\"}"; };
  EXPECT_EQ(message(body(base::limits::kMessageBytesMax)).size(), base::limits::kMessageBytesMax);
  const auto refused = message(body(base::limits::kMessageBytesMax + 1));
  EXPECT_LT(refused.size(), 500u) << "it is not sent back";
  EXPECT_NE(refused.find("at most 1048576 bytes"), std::string::npos);
  EXPECT_NE(message("{\"content\":\"a\",\"client_message_id\":\"" + std::string(129, 'x') + "\"}").find("client_message_id"),
            std::string::npos);
}

TEST(AppBodies, TheDigestIsOfWhatTheMessageSays) {
  const auto digest = [](const char* body) { return digest_of(*read_message(body)); };
  EXPECT_EQ(digest(R"({"content":"a","client_message_id":"1"})"), digest(R"({"text":"a","attachments":[]})"));
  EXPECT_NE(digest(R"({"content":"a"})"), digest(R"({"content":"b"})"));
  EXPECT_NE(digest(R"({"content":"a"})"), digest(R"({"content":"a","mode":"plan"})"));
}

TEST(AppBodies, ASessionMayBeNamedAndNeedNotBe) {
  EXPECT_EQ(refusal(read_new_session("")), "accepted");
  const auto read = read_new_session(R"({"session_id":"s","name":"n","user_id":"u","agent":"a"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->session_id + read->name + read->user_id + read->agent, "snua");
  for (const auto* body : {R"({"session_id":"a\nb"})", R"({"session_id":{}})", R"({"agent":1})", "[]"})
    EXPECT_FALSE(read_new_session(body)) << body;
}

TEST(AppBodies, ADecisionIsTrueOrFalse) {
  EXPECT_TRUE(read_approval(R"({"approved":true})")->approved);
  EXPECT_FALSE(read_approval(R"({"approved":"false","note":"why","run_id":"r"})")->approved);
  EXPECT_EQ(read_approval(R"({"approved":"no","note":"why"})")->note, "why");
  const auto answer = read_approval(R"({"answer":"blue"})");
  ASSERT_TRUE(answer) << "an answer needs no other word";
  EXPECT_TRUE(answer->approved);
  EXPECT_EQ(answer->note, "blue");
  EXPECT_FALSE(read_approval(R"({"answer":"blue","approved":false})")->approved);
  for (const auto* body :
       {"{}", R"({"approved":null})", R"({"approved":"perhaps"})", R"({"approved":2})", R"({"approved":true,"note":5})"})
    EXPECT_EQ(refusal(read_approval(body)).substr(0, 4), "422 ") << body;
}

TEST(AppApprovals, AnIdIsACallOrTheWholeRun) {
  Waiting waiting;
  waiting.run.run_id = "r";
  waiting.pause.calls = {{.id = "a", .name = "Write", .arguments = "{\"x\":1}"},
                         {.id = "b", .name = "Bash", .arguments = "oops"}};
  waiting.pause.decided = {{.call_id = "a", .approved = false, .note = "no"}};
  const Approval yes{.approved = true, .note = "", .run_id = ""};
  const auto ids = [&](const std::string& id) {
    std::string all;
    for (const auto& one : decisions_of(waiting, id, yes)) all += one.call_id;
    return all;
  };
  EXPECT_EQ(ids("a"), "a");
  EXPECT_EQ(ids("r"), "b") << "what is decided stays decided";
  EXPECT_TRUE(concerns(waiting, "b", yes) && concerns(waiting, "r", yes));
  EXPECT_FALSE(concerns(waiting, "c", yes));
  EXPECT_FALSE(concerns(waiting, "a", {.approved = true, .note = "", .run_id = "other"}));
  const auto shown = pending_approvals({waiting});
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[0].at("decided").at("approved").as_bool(), false);
  EXPECT_EQ(shown[1].at("arguments").as_string(), "oops");
  waiting.pause = {};
  EXPECT_EQ(pending_approvals({waiting})[0].at("call_id").as_string(), "r") << "a run that was parked";
}

}  // namespace
}  // namespace api::apps
