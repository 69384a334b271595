#include "mcp/http_transport.h"

#include "base/json.h"
#include "mcp/client.h"
#include "net/http_client_fixture.h"

namespace mcp {
namespace {

using net::Peer;
using net::PeerRequest;

json::object message_of(const PeerRequest& request) { return base::parse_json(request.body)->as_object(); }
std::string method_of(const PeerRequest& request) { return request.head.substr(0, request.head.find(' ')); }

// A client of a server that the test plays, request by request.
class HttpTransportTest : public net::LoopbackTest {
 protected:
  HttpTransportTest()
      : subject(io, time, {.server = "far", .secrets = {"t0ken"}, .call_ms = 3'000}, [this] {
          return std::make_unique<HttpTransport>(io, client, time,
                                                 HttpAddress{.url = url("/mcp"), .headers = {{"Authorization", "Bearer t0ken"}}});
        }) {}

  // What a well-behaved server does with everything but calls.
  Serve server(std::function<aio::Task<>(Peer&, const PeerRequest&)> on_call) {
    return [this, on_call](Peer& peer) -> aio::Task<> {
      for (;;) {
        const auto request = co_await peer.request();
        heads.push_back(request.head);
        if (method_of(request) == "GET") {
          co_await peer.answer(405, "", "");
        } else if (method_of(request) == "DELETE") {
          co_await peer.answer(200, "", "");
        } else {
          const auto message = message_of(request);
          const auto method = base::text_or_empty(message, "method");
          if (method == "initialize")
            co_await peer.answer(
                200, "content-type: application/json\r\nMcp-Session-Id: session-" + std::to_string(++sessions) + "\r\n",
                encode_answer(message.at("id"),
                              json::object{{"protocolVersion", "2025-06-18"}, {"capabilities", {{"tools", json::object()}}}}));
          else if (method == "tools/list")
            co_await peer.answer(200, "content-type: application/json; charset=utf-8\r\n",
                                 encode_answer(message.at("id"), json::object{{"tools", json::array{{{"name", "t"}}}}}));
          else if (!message.contains("id"))
            co_await peer.answer(202, "", "");
          else
            co_await on_call(peer, request);
        }
      }
    };
  }

  UseOutcome call(Serve serve) {
    UseOutcome outcome;
    auto test = [&]() -> aio::Task<> {
      auto used =
          co_await subject.use({.tool = {.name = "t", .model_name = "m", .description = "", .schema = "{}"}, .arguments = {}});
      outcome = std::move(used);
      co_await subject.close();
    };
    run(std::move(serve), test());
    return outcome;
  }

  static std::string done(const PeerRequest& request) {
    return encode_answer(message_of(request).at("id"), json::object{{"content", json::array()}});
  }

  aio::SystemTime time{io};
  Client subject;
  std::vector<std::string> heads;
  int sessions = 0;
};

TEST_F(HttpTransportTest, AJsonAnswerAndTheHeaders) {
  std::string head;
  const auto outcome = call(server([&](Peer& peer, const PeerRequest& request) -> aio::Task<> {
    head = request.head;
    co_await peer.answer(200, "content-type: application/json\r\n", done(request));
  }));
  EXPECT_TRUE(outcome) << outcome.error();
  for (const auto* line : {"POST /mcp ", "Authorization: Bearer t0ken\r\n", "Content-Type: application/json\r\n",
                           "Accept: application/json, text/event-stream\r\n", "MCP-Protocol-Version: 2025-06-18\r\n",
                           "Mcp-Session-Id: session-1\r\n"})
    EXPECT_NE(head.find(line), std::string::npos) << line << head;
  EXPECT_TRUE(heads.back().starts_with("DELETE ")) << heads.back();
}

TEST_F(HttpTransportTest, AStreamOfEventsThatStaysOpen) {
  const auto outcome = call(server([&](Peer& peer, const PeerRequest& request) -> aio::Task<> {
    co_await peer.begin_stream();
    co_await peer.chunk(": hello\n\ndata: " + encode_notification("notifications/progress", {}) + "\n\n");
    co_await peer.chunk("event: message\ndata: " + done(request) + "\n\n");
    co_await peer.closed();
  }));
  EXPECT_TRUE(outcome) << outcome.error();
}

TEST_F(HttpTransportTest, ABrokenStreamIsReadOnFromItsLastEvent) {
  std::string answer, resumed;
  const auto outcome = call([&](Peer& peer) -> aio::Task<> {
    // A GET with Last-Event-ID is the one that reads on.
    for (;;) {
      const auto request = co_await peer.request();
      if (method_of(request) == "GET" && request.head.find("Last-Event-ID: e1") != std::string::npos) {
        resumed = request.head;
        co_await peer.begin_stream();
        co_await peer.chunk("id: e2\ndata: " + answer + "\n\n");
        co_await peer.end_stream();
        continue;
      }
      if (method_of(request) != "POST") {
        co_await peer.answer(405, "", "");
        continue;
      }
      const auto message = message_of(request);
      const auto method = base::text_or_empty(message, "method");
      if (method == "tools/call") {
        answer = done(request);
        co_await peer.begin_stream();
        co_await peer.chunk("id: e1\nretry: 10\ndata:\n\n");
        co_await peer.end_stream();
      } else if (message.contains("id")) {
        co_await peer.answer(
            200, "content-type: application/json\r\n",
            encode_answer(message.at("id"), json::object{{"protocolVersion", "2025-11-25"}, {"capabilities", json::object()}}));
      } else {
        co_await peer.answer(202, "", "");
      }
    }
  });
  EXPECT_TRUE(outcome) << outcome.error();
  EXPECT_FALSE(resumed.empty());
}

TEST_F(HttpTransportTest, ASessionThatIsGoneIsBegunAgain) {
  const auto outcome = call(server([&](Peer& peer, const PeerRequest& request) -> aio::Task<> {
    if (request.head.find("session-1\r\n") != std::string::npos)
      co_await peer.answer(404, "", "");
    else
      co_await peer.answer(200, "content-type: application/json\r\n", done(request));
  }));
  EXPECT_TRUE(outcome) << outcome.error();
  EXPECT_EQ(sessions, 2);
}

TEST_F(HttpTransportTest, WhatWentWrongIsSaid) {
  const struct {
    int status;
    std::string headers, body, words;
  } cases[] = {{401, "", "no t0ken", "refused the credentials (401); nothing was done"},
               {500, "", "boom", "status 500. The outcome of the call is unknown"},
               {302, "location: http://example.invalid/\r\n", "", "status 302; nothing was done"},
               {200, "content-type: application/json\r\n", "<html>", "closed the connection without an answer. The outcome"},
               {200, "content-type: application/json\r\n", std::string(5 << 20, ' '), "more than 4194304 bytes. The outcome"}};
  for (const auto& one : cases) {
    UseOutcome outcome;
    auto serve =
        server([&](Peer& peer, const PeerRequest&) -> aio::Task<> { co_await peer.answer(one.status, one.headers, one.body); });
    Client fresh(io, time, {.server = "far", .secrets = {"t0ken"}, .call_ms = 3'000}, [this] {
      return std::make_unique<HttpTransport>(io, client, time, HttpAddress{.url = url("/mcp"), .headers = {}});
    });
    auto test = [&]() -> aio::Task<> {
      auto used =
          co_await fresh.use({.tool = {.name = "t", .model_name = "m", .description = "", .schema = "{}"}, .arguments = {}});
      outcome = std::move(used);
      co_await fresh.close();
    };
    run(serve, test());
    ASSERT_FALSE(outcome) << one.status;
    EXPECT_NE(outcome.error().find(one.words), std::string::npos) << outcome.error();
    EXPECT_EQ(outcome.error().find("t0ken"), std::string::npos);
  }
}

TEST_F(HttpTransportTest, ANoticeOnTheServersOwnStreamIsHeard) {
  int lists = 0;
  auto serve = [&](Peer& peer) -> aio::Task<> {
    for (;;) {
      const auto request = co_await peer.request();
      if (method_of(request) == "GET") {
        co_await peer.begin_stream();
        co_await peer.chunk("data: " + encode_notification("notifications/tools/list_changed", {}) + "\n\n");
        co_await peer.closed();
        co_return;
      }
      if (method_of(request) == "DELETE") {
        co_await peer.answer(200, "", "");
        continue;
      }
      const auto message = message_of(request);
      const auto method = base::text_or_empty(message, "method");
      if (method == "tools/list") ++lists;
      json::object result{
          {"protocolVersion", "2025-11-25"}, {"capabilities", {{"tools", json::object()}}}, {"tools", json::array()}};
      if (message.contains("id"))
        co_await peer.answer(200, "content-type: application/json\r\n", encode_answer(message.at("id"), std::move(result)));
      else
        co_await peer.answer(202, "", "");
    }
  };
  auto test = [&]() -> aio::Task<> {
    co_await subject.tools();
    while (lists < 2) {
      co_await time.sleep(std::chrono::milliseconds(20));
      co_await subject.tools();
    }
    co_await subject.close();
  };
  run(serve, test());
  EXPECT_EQ(lists, 2);
}

}  // namespace
}  // namespace mcp
