#include "mcp/client.h"

#include "aio/scope.h"
#include "mcp/client_fixture.h"

namespace mcp {
namespace {

void echo(FakeTransport& transport, const json::object& call) {
  transport.result(call, {{"content", json::array{{{"type", "text"}, {"text", base::to_text(call.at("params"))}}}}});
}

std::string text_of(const UseOutcome& outcome) {
  if (!outcome) return "failed: " + outcome.error();
  return std::string(outcome->at("content").as_array().at(0).at("text").as_string());
}

TEST_F(ClientTest, ShakesHandsListsAndCalls) {
  auto& c = client(server(echo));
  auto test = [&]() -> aio::Task<> {
    const auto listed = co_await c.tools();
    EXPECT_TRUE(listed);
    if (!listed) co_return;
    EXPECT_EQ((*listed)->tools.at(0).model_name, "mcp_fake__t");
    const auto outcome = co_await c.use(call_of("t"));
    EXPECT_EQ(text_of(outcome), R"({"name":"t","arguments":{"a":1}})");
    EXPECT_EQ(last->version, "2025-11-25");
  };
  run(test());
  EXPECT_EQ(dials, 1);
  const auto& hello = heard_last("initialize").at("params").as_object();
  EXPECT_EQ(base::text_or_empty(hello, "protocolVersion"), "2025-11-25");
  EXPECT_EQ(base::text_or_empty(hello.at("clientInfo").as_object(), "name"), "outlast");
  EXPECT_EQ(count("notifications/initialized"), 1);
  EXPECT_EQ(base::text_or_empty(heard.at(1), "method"), "notifications/initialized");
}

TEST_F(ClientTest, TakesOlderRevisionsAndNoOther) {
  for (const auto* spoken : {"2025-06-18", "2025-03-26", "2024-11-05"}) {
    version = spoken;
    auto& c = client(server(echo));
    auto test = [&]() -> aio::Task<> { EXPECT_TRUE(co_await c.tools()); };
    run(test());
    io.restart();
  }
  for (const auto* spoken : {"2026-07-28", "1.0", ""}) {
    version = spoken;
    auto& c = client(server(echo));
    auto test = [&]() -> aio::Task<> {
      const auto listed = co_await c.tools();
      EXPECT_FALSE(listed);
      EXPECT_NE(listed.error().message.find("no revision"), std::string::npos);
    };
    run(test());
    io.restart();
  }
}

TEST_F(ClientTest, AServerWithoutToolsIsNotAskedForThem) {
  capabilities = {};
  auto& c = client(server(echo));
  auto test = [&]() -> aio::Task<> {
    const auto listed = co_await c.tools();
    EXPECT_TRUE(listed && (*listed)->tools.empty());
  };
  run(test());
  EXPECT_EQ(count("tools/list"), 0);
}

TEST_F(ClientTest, ListsPageByPageAndAgainWhenTheListHasChanged) {
  auto play = [this, plain = server(echo)](FakeTransport& transport, const json::object& message) {
    if (base::text_or_empty(message, "method") != "tools/list") return plain(transport, message);
    heard.push_back(message);
    const auto* params = base::object_field(message, "params");
    const auto cursor = base::text_or_empty(*params, "cursor");
    json::object result{{"tools", json::array{json::object{{"name", cursor.empty() ? "first" : "second"}}}}};
    if (cursor.empty()) result["nextCursor"] = "2";
    transport.result(message, std::move(result));
  };
  auto& c = client(play);
  auto test = [&]() -> aio::Task<> {
    const auto listed = co_await c.tools();
    EXPECT_TRUE(listed && (*listed)->tools.size() == 2);
    const auto again = co_await c.tools();
    EXPECT_TRUE(again && *again == *listed);
    last->say(encode_notification("notifications/tools/list_changed", {}));
    co_await time.sleep(std::chrono::milliseconds(20));
    const auto changed = co_await c.tools();
    EXPECT_TRUE(changed && *changed != *listed);
  };
  run(test());
  EXPECT_EQ(count("tools/list"), 4);
}

TEST_F(ClientTest, AnswersPingAndRefusesEverythingElse) {
  auto& c = client(server(echo));
  auto test = [&]() -> aio::Task<> {
    co_await c.tools();
    last->say(R"({"jsonrpc":"2.0","id":"p","method":"ping"})");
    last->say(R"({"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{}})");
    last->say(R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}})");
    co_await time.sleep(std::chrono::milliseconds(20));
  };
  run(test());
  EXPECT_EQ(base::to_text(heard.at(heard.size() - 2)), R"({"jsonrpc":"2.0","id":"p","result":{}})");
  EXPECT_EQ(heard.back().at("error").at("code"), -32601);
}

TEST_F(ClientTest, AnErrorIsToldInTheServersWordsWithoutSecrets) {
  auto& c = client(server([](FakeTransport& transport, const json::object& call) {
                     transport.refuse(call, -32602, "bad key s3cret-key, sorry");
                   }),
                   {.server = "fake", .secrets = {"s3cret-key", "", "no"}});
  auto test = [&]() -> aio::Task<> {
    const auto outcome = co_await c.use(call_of("t"));
    EXPECT_EQ(text_of(outcome), "failed: MCP server 'fake': it answered: bad key ***, sorry (-32602)");
  };
  run(test());
}

TEST_F(ClientTest, ACallThatIsNotAnsweredIsCancelledThere) {
  auto& c = client(server([](FakeTransport&, const json::object&) {}), {.server = "fake", .call_ms = 100});
  auto test = [&]() -> aio::Task<> {
    const auto outcome = co_await c.use(call_of("t"));
    EXPECT_NE(text_of(outcome).find("did not answer within 1 s; the call was cancelled"), std::string::npos) << text_of(outcome);
  };
  run(test());
  EXPECT_EQ(heard_last("notifications/cancelled").at("params").at("requestId"), heard_last("tools/call").at("id"));
}

TEST_F(ClientTest, CancellingTheCallerCancelsTheCall) {
  auto& c = client(server([](FakeTransport&, const json::object&) {}));
  auto test = [&]() -> aio::Task<> {
    co_await c.tools();
    aio::Scope scope(io);
    aio::TaskGroup group(io, [](const std::string&, const std::string&) {});
    auto later = [&]() -> aio::Task<> {
      co_await time.sleep(std::chrono::milliseconds(20));
      scope.cancel();
    };
    group.spawn("later", later());
    auto use = c.use(call_of("t"));
    const auto outcome = co_await scope.run(std::move(use));
    EXPECT_FALSE(outcome);
    co_await group.join();
  };
  run(test());
  EXPECT_EQ(heard_last("notifications/cancelled").at("params").at("requestId"), heard_last("tools/call").at("id"));
}

TEST_F(ClientTest, AServerThatEndsDuringACallIsStartedAgainByTheNext) {
  bool dies = true;
  auto& c = client(server([&](FakeTransport& transport, const json::object& call) {
    if (std::exchange(dies, false)) return transport.end("the server ended; it wrote: ouch");
    echo(transport, call);
  }));
  auto test = [&]() -> aio::Task<> {
    const auto first = co_await c.use(call_of("t"));
    EXPECT_EQ(text_of(first),
              "failed: MCP server 'fake': the server ended; it wrote: ouch. The outcome of the call is unknown; it may have had "
              "effects.");
    const auto second = co_await c.use(call_of("t"));
    EXPECT_TRUE(second) << text_of(second);
  };
  run(test());
  EXPECT_EQ(dials, 2);
}

TEST_F(ClientTest, ACallThatWasNotTakenIsMadeOnceMore) {
  auto& c = client(server(echo));
  auto test = [&]() -> aio::Task<> {
    co_await c.tools();
    last->refuse_all({base::Errc::lease_lost, "the session is gone"});
    const auto outcome = co_await c.use(call_of("t"));
    EXPECT_TRUE(outcome) << text_of(outcome);
  };
  run(test());
  EXPECT_EQ(dials, 2);
  EXPECT_EQ(count("tools/call"), 1);
}

TEST_F(ClientTest, AServerThatFailsIsTriedAgainLessOften) {
  auto& c = client([](FakeTransport& transport, const json::object&) { transport.end("cannot run it"); });
  auto test = [&]() -> aio::Task<> {
    for (int i = 0; i < 2; ++i) {
      const auto listed = co_await c.tools();
      EXPECT_FALSE(listed);
      EXPECT_EQ(listed.error().message, i == 0 ? "cannot run it" : "cannot run it; it is tried again later");
    }
    EXPECT_EQ(dials, 2);
    const auto third = co_await c.tools();
    EXPECT_FALSE(third);
    EXPECT_EQ(third.error().message, "cannot run it; it is tried again later");
    EXPECT_EQ(dials, 2);
    co_await time.sleep(std::chrono::milliseconds(1'100));
    co_await c.tools();
    EXPECT_EQ(dials, 3);
  };
  run(test());
}

TEST_F(ClientTest, ASlowStartGoesOnWithoutItsCaller) {
  std::optional<json::object> waiting;
  auto play = [&, plain = server(echo)](FakeTransport& transport, const json::object& message) {
    if (base::text_or_empty(message, "method") != "initialize") return plain(transport, message);
    waiting = message;
    last = &transport;
  };
  auto& c = client(play, {.server = "fake"});
  auto test = [&]() -> aio::Task<> {
    const auto early = co_await c.tools(50);
    EXPECT_FALSE(early);
    EXPECT_TRUE(early.error().message.starts_with("it is starting"));
    last->result(*waiting, {{"protocolVersion", version}, {"capabilities", capabilities}});
    co_await time.sleep(std::chrono::milliseconds(50));
    EXPECT_TRUE(co_await c.tools());
  };
  run(test());
  EXPECT_EQ(dials, 1);
}

TEST_F(ClientTest, NoiseIsLeftOutButNotForEver) {
  auto& c = client(server(echo));
  auto test = [&]() -> aio::Task<> {
    co_await c.tools();
    for (const auto* noise :
         {"hello!", "{", "[]", "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}", "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":7}"})
      last->say(noise);
    const auto outcome = co_await c.use(call_of("t"));
    EXPECT_TRUE(outcome) << text_of(outcome);
    for (std::size_t i = 0; i <= base::limits::kMcpNoiseLinesMax; ++i) last->say("noise");
    co_await time.sleep(std::chrono::milliseconds(50));
    EXPECT_TRUE(co_await c.tools());
  };
  run(test());
  EXPECT_EQ(dials, 2);
}

TEST_F(ClientTest, AnAnswerThatIsTooLongOrUnreadableIsLost) {
  bool unreadable = false;
  auto& c = client(server([&](FakeTransport& transport, const json::object& call) {
    if (std::exchange(unreadable, true))
      return transport.say(R"({"jsonrpc":"2.0","id":)" + base::to_text(call.at("id")) + R"(,"result":[1]})");
    transport.too_long();
  }));
  auto test = [&]() -> aio::Task<> {
    const auto first = co_await c.use(call_of("t"));
    EXPECT_NE(text_of(first).find("more than 4194304 bytes"), std::string::npos) << text_of(first);
    const auto second = co_await c.use(call_of("t"));
    EXPECT_NE(text_of(second).find("cannot be read"), std::string::npos) << text_of(second);
  };
  run(test());
  EXPECT_EQ(dials, 1);
}

}  // namespace
}  // namespace mcp
