#include <sys/resource.h>

#include <random>

#include "base/limits.h"
#include "net/http_server_fixture.h"

namespace net {
namespace {

namespace limits = base::limits;

// Answers with what it was asked.
aio::Task<> echo(HttpRequest request, HttpReply& reply) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body =
      request.method + ' ' + request.target + ' ' + std::string(request.header("x-a").value_or("-")) + ' ' + request.body;
  co_await reply.send(std::move(response));
}

aio::Task<> misbehave(HttpRequest request, HttpReply& reply) {
  if (request.target == "/throw") throw std::runtime_error("secret cause");
  if (request.target == "/throw-int") throw 7;
  if (request.target == "/nothing") co_return;
  if (request.target == "/twice") {
    HttpResponse response;
    co_await reply.send(response);
    co_await reply.send(response);
  }
  const bool begun = co_await reply.begin(200, "text/plain", {});
  EXPECT_TRUE(begun);
  const std::string_view parts[] = {"half"};
  co_await reply.write(parts);
  if (request.target == "/throw-late") throw std::runtime_error("secret cause");
  // else it forgets to finish
}

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  start(echo);
  RawClient client(port);
  client.send("POST /a?b=1 HTTP/1.1\r\nHost: x\r\nX-A: yes\r\nContent-Length: 3\r\n\r\nabc");
  const auto first = client.answer();
  EXPECT_EQ(first.body, "POST /a?b=1 yes abc");
  EXPECT_TRUE(first.head.starts_with("HTTP/1.1 200 OK\r\ndate: ")) << first.head;
  EXPECT_NE(first.head.find(" GMT\r\ncontent-type: text/plain\r\ncontent-length: 19\r\n\r\n"), std::string::npos) << first.head;
  EXPECT_EQ(client.get("/b").body, "GET /b - ");
  EXPECT_TRUE(connections_become(1));
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start(echo);
  RawClient client(port);
  std::string requests = "\r\n";  // a blank line before a request is ignored
  for (int i = 0; i < 50; ++i) requests += "POST /" + std::to_string(i) + " HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi";
  client.send(requests);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.answer().body, "POST /" + std::to_string(i) + " - hi");
}

TEST_F(HttpServerTest, HonoursHowLongTheClientWantsTheConnection) {
  start(echo);
  const struct {
    std::string_view request, says;
    bool kept;
  } cases[] = {
      {"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "\r\nconnection: close\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", "\r\nconnection: close\r\n", false},
      {"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", "\r\nconnection: keep-alive\r\n", true},
  };
  for (const auto& c : cases) {
    RawClient client(port);
    client.send(c.request);
    const auto answer = client.answer();
    EXPECT_EQ(answer.body, "GET / - ");
    EXPECT_NE(answer.head.find(c.says), std::string::npos) << answer.head;
    if (c.kept) {
      EXPECT_EQ(client.get("/again").body, "GET /again - ");
    } else {
      EXPECT_EQ(client.more(), End::closed) << c.request;
    }
  }
}

TEST_F(HttpServerTest, TellsAClientThatAsksToGoOn) {
  start(echo);
  RawClient client(port);
  client.send("POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.answer().body, "POST / - abc");
  // Nothing to wait for: the body came along, or is too large anyway.
  client.send("POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc");
  EXPECT_EQ(client.answer().body, "POST / - abc");
  client.send("POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n");
  EXPECT_EQ(client.answer().status, 413);
}

TEST_F(HttpServerTest, SendsNoBodyWhereNoneMayBe) {
  start([](HttpRequest request, HttpReply& reply) -> aio::Task<> {
    HttpResponse response{.status = request.target == "/204" ? 204 : 200, .body = "body"};
    if (request.target == "/empty") response.content_type.clear();
    co_await reply.send(std::move(response));
  });
  RawClient client(port);
  client.send("HEAD / HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_NE(client.until("\r\n\r\n").find("\r\ncontent-length: 4\r\n"), std::string::npos);
  client.send("GET /204 HTTP/1.1\r\nhost: x\r\n\r\n");
  const auto head = client.until("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 204 No Content\r\n"));
  EXPECT_EQ(head.find("content-length"), std::string::npos);
  const auto empty = client.get("/empty");
  EXPECT_EQ(empty.body, "");
  EXPECT_NE(empty.head.find("\r\ncontent-length: 0\r\n"), std::string::npos);
  EXPECT_EQ(empty.head.find("content-type"), std::string::npos);
  EXPECT_EQ(client.get("/").body, "body");
}

TEST_F(HttpServerTest, ReadsChunkedBodies) {
  start(echo);
  RawClient client(port);
  const std::string head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: Chunked\r\n\r\n";
  client.send(head + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nx-trailer: 1\r\n\r\n");
  EXPECT_EQ(client.answer().body, "POST / - abcde");
  for (const char c : head + "3\r\nabc\r\n0\r\n\r\n") client.send({&c, 1});
  EXPECT_EQ(client.answer().body, "POST / - abc");
}

TEST_F(HttpServerTest, SendsLargeBodiesWhole) {
  start([](HttpRequest, HttpReply& reply) -> aio::Task<> {
    HttpResponse response;
    for (int i = 0; response.body.size() < 5'000'000; ++i) response.body += std::to_string(i) + ' ';
    co_await reply.send(std::move(response));
  });
  RawClient client(port, 16 << 10);
  std::string expected;
  for (int i = 0; expected.size() < 5'000'000; ++i) expected += std::to_string(i) + ' ';
  EXPECT_TRUE(client.get("/").body == expected);
  EXPECT_TRUE(client.get("/").body == expected);
}

TEST_F(HttpServerTest, TakesBodiesUpToTheLimit) {
  start([](HttpRequest request, HttpReply& reply) -> aio::Task<> {
    HttpResponse response;
    response.body = std::to_string(request.body.size());
    co_await reply.send(std::move(response));
  });
  const auto post = [&](const std::string& framing, std::size_t bytes) {
    RawClient client(port);
    client.send("POST / HTTP/1.1\r\nhost: x\r\n" + framing);
    client.send(std::string(bytes, 'x'));
    client.send("\r\n0\r\n\r\n");
    return client.answer();
  };
  EXPECT_EQ(post("content-length: 16777216\r\n\r\n", 16 << 20).body, "16777216");
  EXPECT_EQ(post("transfer-encoding: chunked\r\n\r\n1000000\r\n", 16 << 20).body, "16777216");
  EXPECT_EQ(post("content-length: 16777217\r\n\r\n", 1).status, 413);
  const auto refused = post("transfer-encoding: chunked\r\n\r\n1000001\r\n", 1);
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, R"({"detail":"The request's body is too large"})");
}

TEST_F(HttpServerTest, BoundsHeaders) {
  start(echo);
  const auto get = [&](std::size_t target, std::size_t header, bool at_once) {
    RawClient client(port);
    const auto line = "GET /" + std::string(target, 'a') + " HTTP/1.1\r\n";
    const auto fields = "host: x\r\ny: " + std::string(header, 'b') + "\r\n\r\n";
    client.send(at_once ? line + fields : line);
    if (!at_once) client.send(fields);
    return client.answer().status;
  };
  EXPECT_EQ(get(8'000, 8'000, true), 200);
  EXPECT_EQ(get(0, 16'300, true), 200);
  for (const bool at_once : {true, false}) {
    EXPECT_EQ(get(10'000, 10'000, at_once), 431);
    EXPECT_EQ(get(0, 17'000, at_once), 431);
    EXPECT_EQ(get(17'000, 0, at_once), 431);
  }
  RawClient client(port);
  client.send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;" + std::string(200'000, 'x'));
  EXPECT_EQ(client.answer().status, 431);
}

TEST_F(HttpServerTest, RefusesWhatIsMalformed) {
  start(echo);
  const std::string post = "POST / HTTP/1.1\r\nhost: x\r\n";
  for (const std::string& raw :
       {std::string("GET / HTTP/9.9\r\n\r\n"), std::string("GET / HTTP/2.0\r\nhost: x\r\n\r\n"), std::string("GET /\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), std::string("GET / HTTP/1.1\nhost: x\n\n"),
        std::string("G\0T / HTTP/1.1\r\nhost: x\r\n\r\n", 28), std::string("GET / HTTP/1.1\r\nhost: x\0\r\n\r\n", 28),
        std::string("GET / HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n"),
        // Framing that a proxy could read differently.
        post + "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n", post + "transfer-encoding: gzip\r\n\r\n",
        post + "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", post + "content-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        post + "content-length: -3\r\n\r\n", post + "content-length: +3\r\n\r\nabc",
        post + "content-length: 99999999999999999999\r\n\r\n", post + "transfer-encoding: chunked\r\n\r\nxyz\r\n",
        post + "transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        std::string("POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")}) {
    RawClient client(port);
    client.send(raw);
    const auto answer = client.answer();
    EXPECT_EQ(answer.status, 400) << raw;
    EXPECT_TRUE(answer.body.starts_with(R"({"detail":")")) << answer.body;
    client.end_input();
    EXPECT_EQ(client.more(), End::closed) << raw;
  }
}

// The cases of the acceptance check "hostile", each followed by the end of input.
TEST_F(HttpServerTest, AnswersOrClosesPromptlyWhateverComes) {
  start(echo);
  std::mt19937 random(7);
  const auto bytes = [&](std::size_t count) {
    std::string out(count, 0);
    std::ranges::generate(out, [&] { return static_cast<char>(random()); });
    return out;
  };
  std::string fields;
  for (int i = 0; i < 20'000; ++i) fields += "x: y\r\n";
  std::vector<std::string> cases{"",
                                 "G",
                                 "GET / HTTP/1.1\r\nhost: x\r\n",
                                 "GET / HTTP/9.9\r\n\r\n",
                                 "\x16\x03\x01" + bytes(200),
                                 "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n",
                                 "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                                 "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
                                 "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\nhost: x\r\n\r\n",
                                 "GET / HTTP/1.1\r\n" + fields + "\r\n"};
  for (int i = 0; i < 20; ++i) cases.push_back(bytes(1 + random() % 300));
  for (const auto& raw : cases) {
    const auto began = Clock::now();
    RawClient client(port);
    client.send(raw);
    client.end_input();
    const auto answer = client.rest();
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 4")) << raw.substr(0, 40) << " was answered " << answer;
    EXPECT_LT(ms_since(began), 2'000) << raw.substr(0, 40);
  }
  RawClient client(port);
  client.send("GET /a HTTP/1.1\r\nhost: x\r\n\r\n");
  client.end_input();
  EXPECT_EQ(client.answer().body, "GET /a - ");
  EXPECT_EQ(client.more(), End::closed);
  client.close();
  EXPECT_TRUE(connections_become(0));
}

TEST_F(HttpServerTest, CutsSlowRequestsAndIdleConnections) {
  start(echo, {.read_ms = 100, .idle_ms = 300});
  RawClient silent(port), slow(port), kept(port);
  slow.send("GET / HTT");
  const auto began = Clock::now();
  EXPECT_EQ(kept.get("/").status, 200);
  EXPECT_EQ(slow.answer().status, 408);
  EXPECT_EQ(silent.more(), End::closed);
  EXPECT_EQ(kept.more(), End::closed);
  EXPECT_GE(ms_since(began), 290);
  EXPECT_TRUE(connections_become(0));
}

TEST_F(HttpServerTest, AnswersForHandlersThatFail) {
  start(misbehave);
  RawClient client(port);
  for (const auto* target : {"/throw", "/throw-int", "/nothing"}) {
    const auto answer = client.get(target);
    EXPECT_EQ(answer.status, 500) << target;
    EXPECT_EQ(answer.body, R"({"detail":"Internal server error"})");
  }
  EXPECT_EQ(client.get("/twice").status, 200);
  EXPECT_EQ(client.get("/throw").status, 500);
  for (const auto* target : {"/throw-late", "/forget"}) {
    RawClient other(port);
    other.send("GET " + std::string(target) + " HTTP/1.1\r\nhost: x\r\n\r\n");
    EXPECT_TRUE(other.rest().ends_with("\r\n\r\n4\r\nhalf\r\n")) << target;
  }
}

TEST_F(HttpServerTest, KeepsTextFromOutsideOutOfTheHead) {
  start([](HttpRequest, HttpReply& reply) -> aio::Task<> {
    HttpResponse response;
    response.headers = {
        {"X-Name", "a\r\nset-cookie: b\x01"}, {"X-\r\nBad", "c"}, {"Content-Length", "7"}, {"Transfer-Encoding", "x"}};
    co_await reply.send(std::move(response));
  });
  RawClient client(port);
  const auto head = client.get("/").head;
  EXPECT_TRUE(head.ends_with("\r\ncontent-length: 0\r\nx-name: a  set-cookie: b \r\nx-  bad: c\r\n\r\n")) << head;
}

TEST_F(HttpServerTest, ClosesWhenTheHandlerSaysSo) {
  start([](HttpRequest, HttpReply& reply) -> aio::Task<> {
    HttpResponse response;
    response.headers = {{"Connection", "close"}};
    co_await reply.send(std::move(response));
  });
  RawClient client(port);
  EXPECT_NE(client.get("/").head.find("\r\nconnection: close\r\n"), std::string::npos);
  EXPECT_EQ(client.more(), End::closed);
}

TEST_F(HttpServerTest, TurnsAwayConnectionsBeyondTheLimit) {
  start(echo, {.connections_max = 2});
  RawClient first(port), second(port);
  EXPECT_EQ(first.get("/").status, 200);
  EXPECT_EQ(second.get("/").status, 200);
  RawClient third(port);
  const auto answer = third.answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, R"({"detail":"Too many connections"})");
  EXPECT_EQ(third.more(), End::closed);
  first.close();
  EXPECT_TRUE(connections_become(1));
  RawClient fourth(port);
  EXPECT_EQ(fourth.get("/").status, 200);
}

TEST_F(HttpServerTest, GoesOnAfterRunningOutOfDescriptors) {
  start(echo);
  RawClient kept(port), late;
  EXPECT_EQ(kept.get("/").status, 200);
  const int lowest_free = ::dup(0);
  ::close(lowest_free);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{static_cast<rlim_t>(lowest_free), before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  late.connect(port);
  late.send("GET /late HTTP/1.1\r\nhost: x\r\n\r\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(kept.get("/").status, 200);
  EXPECT_TRUE(connections_become(1));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(late.answer().body, "GET /late - ");
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  start(echo);
  HttpServer second(io, {.port = port}, echo);
  const auto in_use = second.listen();
  ASSERT_FALSE(in_use);
  EXPECT_EQ(in_use.error().message, "cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  HttpServer nowhere(io, {.address = "no-address"}, echo);
  const auto bad = nowhere.listen();
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, base::Errc::invalid_argument);
  EXPECT_EQ(nowhere.port(), 0);
}

TEST_F(HttpServerTest, ListensOnIpv6) {
  HttpServer other(io, {.address = "::1"}, echo);
  const auto listening = other.listen();
  if (!listening) GTEST_SKIP() << listening.error().message;
  EXPECT_NE(other.port(), 0);
}

}  // namespace
}  // namespace net
