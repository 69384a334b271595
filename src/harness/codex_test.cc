#include "harness/codex.h"

#include <gtest/gtest.h>

#include "harness/harness_fixture.h"
#include "harness/harnesses.h"

namespace harness {
namespace {

Start asking() { return {.prompt = "Do it", .message_id = "m1", .directory = "/w"}; }
Start alone() {
  auto out = asking();
  out.attended = false;
  return out;
}

TEST(CodexCommand, UnattendedItWorksOnOneMessage) {
  const auto command = codex().command(alone());
  EXPECT_EQ(command.argv, (Lines{"codex", "exec", "-C", "/w", "-s", "workspace-write", "--json", "--skip-git-repo-check", "--", "Do it"}));
  EXPECT_FALSE(command.takes_input);
  EXPECT_FALSE(command.stays);
  EXPECT_TRUE(command.first.empty());
}

TEST(CodexCommand, OptionsOfAResumedThread) {
  auto start = alone();
  start.resumes = true;
  start.session_id = "t1";
  start.skip_permissions = true;
  start.model = "m";
  start.effort = "high";
  start.prompt = "-";
  EXPECT_EQ(codex().command(start).argv,
            (Lines{"codex", "exec", "-C", "/w", "--dangerously-bypass-approvals-and-sandbox", "-m", "m", "-c", "model_reasoning_effort=\"high\"",
                   "resume", "t1", "--json", "--skip-git-repo-check", "--", " -"}));
  start.forks = true;
  EXPECT_TRUE(has(codex().command(start).argv, "fork"));
}

TEST(CodexCommand, SkippedPermissionsAskNobodyEither) {
  auto start = asking();
  start.skip_permissions = true;
  EXPECT_EQ(codex().command(start).argv.at(1), "exec");
}

TEST(CodexCommand, AttendedItIsAServer) {
  const auto command = codex().command(asking());
  EXPECT_EQ(command.argv, (Lines{"codex", "app-server"}));
  EXPECT_TRUE(command.takes_input);
  EXPECT_TRUE(command.stays);
  ASSERT_EQ(command.first.size(), 1u);
  EXPECT_EQ(command.first[0].line,
            R"({"jsonrpc":"2.0","id":"initialize","method":"initialize","params":{"clientInfo":{"name":"outlast","title":"Outlast","version":")"
            OUTLAST_VERSION R"("}}})");
}

TEST(CodexExec, ATurnWithEveryKindOfItem) {
  const auto decoder = codex().decoder(alone());
  const std::string echo = R"(item_2 shell {"command":"/bin/bash -lc 'echo hello'"})";
  const std::string patch = R"(item_4 apply_patch {"changes":[{"path":"/w/a.txt","kind":"update"},{"path":"/w/b.txt","kind":"add"}]})";
  EXPECT_EQ(feed(*decoder, file_lines("codex/exec.jsonl")),
            (Lines{"session 01a1fbe2-380c-7892-8000-000000000001 model= version=", "turn began", "heard m1", "thought **Looking**",
                   "call " + echo, "ended " + echo + " => hello\n", R"(call item_3 shell {"command":"false"})",
                   R"(failed item_3 shell {"command":"false"} => )", "call " + patch, "ended " + patch + " => update /w/a.txt\nadd /w/b.txt",
                   R"(call item_5 docs.search {"q":"x"})", R"(ended item_5 docs.search {"q":"x"} => found)",
                   R"(call item_7 web_search {"query":"weather"})", R"(ended item_7 web_search {"query":"weather"} => )", "said Done.",
                   "turn done text=Done. usage=200/24/5/20/3", "handled m1"}));
}

TEST(CodexExec, FailuresAreToldApart) {
  const auto decoder = codex().decoder(alone());
  EXPECT_EQ(feed(*decoder, file_lines("codex/exec-failures.jsonl")),
            (Lines{"session t1 model= version=", "turn began", "retries in 0 (Reconnecting… 1/1 (unexpected status 401 Unauthorized: bad key))",
                   "turn denied error=unexpected status 401 Unauthorized: bad key",
                   "limited in 0 (Reconnecting… 1/1 (exceeded retry limit, last status: 429 Too Many Requests))",
                   "turn limited error=exceeded retry limit, last status: 429 Too Many Requests",
                   "turn limited error=You've hit your usage limit. Upgrade to Pro or try again in 2 hours 5 minutes. for=7500000",
                   "turn limited error=You've hit your usage limit. Try again at 3:05 PM.",
                   "turn again error=unexpected status 503 Service Unavailable",
                   "turn again error=stream disconnected before completion: error sending request",
                   "turn failed error=The model `m` does not exist", "heard m1", "unknown", "unknown", "unknown", "unknown", "unknown"}));
}

TEST(CodexExec, WhatEarlierProcessesSpentIsNotToldAgain) {
  auto start = alone();
  start.resumes = true;
  const auto decoder = codex().decoder(start);
  const std::string first = R"({"type":"turn.completed","usage":{"input_tokens":500,"output_tokens":50}})";
  const std::string second = R"({"type":"turn.completed","usage":{"input_tokens":600,"output_tokens":70}})";
  EXPECT_EQ(feed(*decoder, {first, second}), (Lines{"heard m1", "turn done", "handled m1", "turn done usage=100/20/0/0/0", "handled m1"}));
}

TEST(CodexExec, WithoutALastWordTheEndSaysNothing) {
  const auto decoder = codex().decoder(alone());
  std::vector<Told> out;
  decoder->end(0, "", out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(decoder->message("m2", "x") + decoder->interrupt("i") + decoder->answer("c", true, ""), "");
}

TEST(CodexServer, ATurnWithApprovalsAndAMessageInBetween) {
  const auto decoder = codex().decoder(asking());
  const std::string touch = R"(call_1 shell {"command":"/bin/bash -lc 'touch a'"})";
  const std::string patch = R"(call_2 apply_patch {"changes":[{"path":"a","kind":{"type":"add"},"diff":"+x"}]})";
  EXPECT_EQ(feed(*decoder, file_lines("codex/server.jsonl")),
            (Lines{R"(reply initialized {"jsonrpc":"2.0","method":"initialized"})",
                   R"(reply thread {"jsonrpc":"2.0","id":"thread","method":"thread/start","params":{"approvalPolicy":"untrusted","sandbox":"workspace-write","cwd":"/w"}})",
                   "session th-1 model=gpt-5.1-codex version=0.169.0",
                   R"(reply message:m1 {"jsonrpc":"2.0","id":"turn:m1","method":"turn/start","params":{"threadId":"th-1","clientUserMessageId":"m1","input":[{"type":"text","text":"Do it"}]}})",
                   "turn began", "heard m1", "thought One.\nTwo.", "call " + touch, "asks " + touch + " (not trusted)",
                   "ended " + touch + " => ok\n", "call " + patch, "asks " + patch + " ()", "failed " + patch + " => add a", "said All done.",
                   "heard m2", "turn done text=All done. usage=200/24/5/20/0", "handled m1", "handled m2"}));
}

TEST(CodexServer, FailuresAreToldApartAndNoRequestIsLeftWaiting) {
  const auto decoder = codex().decoder(asking());
  EXPECT_EQ(feed(*decoder, file_lines("codex/server-failures.jsonl")),
            (Lines{"turn began", "limited in 0 (Reconnecting... 1/5)", "turn limited error=You've hit your usage limit. Try again in 30 minutes. for=1800000",
                   "turn began", "turn interrupted error=interrupted", "turn denied error=no", "turn again error=no", "turn denied error=no",
                   "turn failed error=too long", "turn failed error=no rollout found for thread id th-9", "turn failed error=thread not found", "refused m1",
                   R"(reply refused:7 {"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"not supported"}})",
                   R"(reply refused:"e1" {"jsonrpc":"2.0","id":"e1","result":{"action":"decline","content":null}})",
                   R"(reply refused:8 {"jsonrpc":"2.0","id":8,"result":{"permissions":{}}})", "unknown", "unknown", "unknown", "unknown", "unknown"}));
}

TEST(CodexServer, RequestsThatDependOnWhatIsUnderWay) {
  const auto decoder = codex().decoder(asking());
  const auto lines = file_lines("codex/server.jsonl");
  EXPECT_EQ(decoder->message("m2", "more"), "");
  EXPECT_EQ(decoder->interrupt("i1"), "");
  feed(*decoder, Lines(lines.begin(), lines.begin() + 11));
  EXPECT_EQ(decoder->message("m2", "more"),
            R"({"jsonrpc":"2.0","id":"steer:m2","method":"turn/steer","params":{"threadId":"th-1","clientUserMessageId":"m2","input":[{"type":"text","text":"more"}],"expectedTurnId":"tu-1"}})");
  EXPECT_EQ(decoder->interrupt("i1"), R"({"jsonrpc":"2.0","id":"i1","method":"turn/interrupt","params":{"threadId":"th-1","turnId":"tu-1"}})");
  EXPECT_EQ(decoder->answer("call_1", true, ""), R"({"jsonrpc":"2.0","id":0,"result":{"decision":"accept"}})");
  EXPECT_EQ(decoder->answer("call_1", false, "no"), R"({"jsonrpc":"2.0","id":0,"result":{"decision":"decline"}})");
  feed(*decoder, lines[11]);
  EXPECT_EQ(decoder->answer("call_1", true, ""), "");
  feed(*decoder, Lines(lines.begin() + 12, lines.end()));
  EXPECT_EQ(decoder->answer("call_2", true, ""), "");
  EXPECT_EQ(decoder->message("m3", "more"),
            R"({"jsonrpc":"2.0","id":"turn:m3","method":"turn/start","params":{"threadId":"th-1","clientUserMessageId":"m3","input":[{"type":"text","text":"more"}]}})");
}

TEST(CodexServer, AMessageIsHeardByItsId) {
  const auto decoder = codex().decoder(asking());
  const auto lines = file_lines("codex/server.jsonl");
  feed(*decoder, Lines(lines.begin(), lines.begin() + 5));
  const auto shown = [](const std::string& id) {
    return R"({"method":"item/completed","params":{"item":{"type":"userMessage","id":"u","clientId":)" + id + R"(,"content":[]},"threadId":"th-1"}})";
  };
  const auto taken = [](const std::string& id) { return R"({"id":"steer:)" + id + R"(","result":{"turnId":"tu-1"}})"; };
  // Whatever the order is, and whether it is shown before its request is answered.
  EXPECT_EQ(feed(*decoder, {taken("m2"), shown(R"("m3")"), taken("m3"), shown(R"("m2")"), shown(R"("m2")")}), (Lines{"heard m3", "heard m2"}));
  EXPECT_EQ(feed(*decoder, {taken("m4"), shown("null")}), (Lines{"heard m1"}));  // one without an id: the first that waits
}

TEST(CodexServer, WhatAThreadHasHeardIsNotSaidAgain) {
  auto start = asking();
  start.resumes = true;
  start.session_id = "th-1";
  const std::string resumed = R"({"id":"thread","result":{"thread":{"id":"th-1"},"model":"m"}})";
  const auto history = [](const std::string& id) {
    return R"({"id":"history","result":{"data":[{"turnId":"a","item":{"type":"agentMessage","text":"x"}},{"turnId":"a","item":{"type":"userMessage","clientId":)" + id + "}}]}}";
  };
  const auto fresh = codex().decoder(start);
  EXPECT_EQ(feed(*fresh, resumed).at(1),
            R"(reply history {"jsonrpc":"2.0","id":"history","method":"thread/items/list","params":{"threadId":"th-1","limit":100,"sortDirection":"desc"}})");
  EXPECT_EQ(fresh->message("m2", "x"), "");
  const auto begun = feed(*fresh, history(R"("m0")"));
  ASSERT_EQ(begun.size(), 2u);
  EXPECT_EQ(begun.at(0), "heard m0");
  EXPECT_TRUE(begun.at(1).starts_with("reply message:m1 ")) << begun.at(1);
  // The prompt is there: it is not given again, and another message may be.
  const auto cut = codex().decoder(start);
  feed(*cut, resumed);
  EXPECT_EQ(feed(*cut, history(R"("m1")")), (Lines{"heard m1", "handled m1"}));
  EXPECT_NE(cut->message("m2", "x").find("turn/start"), std::string::npos);
  // A version that cannot say.
  const auto old = codex().decoder(start);
  feed(*old, resumed);
  EXPECT_TRUE(feed(*old, R"({"id":"history","error":{"code":-32600,"message":"unknown method"}})").at(0).starts_with("reply message:m1 "));
}

TEST(CodexServer, AUsageLimitEndsWhenItsWindowDoes) {
  const auto decoder = codex().decoder(asking());
  const auto limits = [](const std::string& used) {
    return R"({"method":"account/rateLimits/updated","params":{"rateLimits":{"limitId":"codex","primary":{"usedPercent":)" + used +
           R"(,"windowDurationMins":300,"resetsAt":1796005474},"secondary":null}}})";
  };
  const std::string failed =
      R"({"method":"turn/completed","params":{"turn":{"status":"failed","error":{"message":"try again at 2:24 AM.","codexErrorInfo":"usageLimitExceeded"}}}})";
  EXPECT_EQ(feed(*decoder, {limits("100"), failed}), (Lines{"turn limited error=try again at 2:24 AM. until=1796005474000"}));
  EXPECT_EQ(feed(*decoder, {limits("99"), failed}), (Lines{"turn limited error=try again at 2:24 AM."}));
}

TEST(CodexServer, AThreadIsGoneOnWithOrCopied) {
  const std::string initialized = R"({"id":"initialize","result":{}})";
  auto start = asking();
  start.resumes = true;
  start.session_id = "th-1";
  start.model = "m";
  EXPECT_EQ(feed(*codex().decoder(start), initialized).at(1),
            R"(reply thread {"jsonrpc":"2.0","id":"thread","method":"thread/resume","params":{"approvalPolicy":"untrusted","sandbox":"workspace-write","cwd":"/w","model":"m","threadId":"th-1","excludeTurns":true}})");
  start.forks = true;
  EXPECT_NE(feed(*codex().decoder(start), initialized).at(1).find("thread/fork"), std::string::npos);
}

TEST(CodexServer, UsageOfAResumedThreadIsOnlyThisProcess) {
  auto start = asking();
  start.resumes = true;
  const std::string turn = R"({"method":"turn/started","params":{"turn":{"id":"a"}}})", end = R"({"method":"turn/completed","params":{"turn":{"id":"a","status":"completed"}}})";
  const auto usage = [](int total, int last) {
    return R"({"method":"thread/tokenUsage/updated","params":{"tokenUsage":{"total":{"inputTokens":)" + std::to_string(total) +
           R"(},"last":{"inputTokens":)" + std::to_string(last) + "}}}}";
  };
  EXPECT_EQ(feed(*codex().decoder(start), {turn, usage(1'100, 100), usage(1'150, 50), end}),
            (Lines{"turn began", "turn done usage=150/0/0/0/0"}));
  EXPECT_EQ(feed(*codex().decoder(start), {usage(1'000, 100), turn, usage(1'150, 150), end}),
            (Lines{"turn began", "turn done usage=150/0/0/0/0"}));
}

}  // namespace
}  // namespace harness
