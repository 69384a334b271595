// Streams, clients that go away or stall, and stopping.
#include <sys/resource.h>

#include <atomic>
#include <map>
#include <vector>

#include "aio/scope.h"
#include "net/http_server_fixture.h"

namespace net {
namespace {

using aio::Task;

Task<bool> write(HttpReply& reply, std::string_view text) {
  const std::string_view parts[] = {text};
  const bool written = co_await reply.write(parts);
  co_return written;
}

// Streams of the tests: what they saw is told through promises, and they wait on `go` between writes.
class HttpStreamTest : public HttpServerTest {
 protected:
  HttpHandler watching() {
    return [this](HttpRequest request, HttpReply& reply) { return watch_client(std::move(request), reply); };
  }
  HttpHandler flooding() {
    return [this](HttpRequest request, HttpReply& reply) { return flood(std::move(request), reply); };
  }
  void open(RawClient& client, std::string_view target = "/", std::string_view head_end = "\r\n\r\n") {
    client.send("GET " + std::string(target) + " HTTP/1.1\r\nhost: x\r\n\r\n");
    EXPECT_TRUE(client.until(head_end).starts_with("HTTP/1.1 200 OK\r\n"));
  }

  // Begins and waits until the client has gone, or the task is cancelled.
  Task<> watch_client(HttpRequest request, HttpReply& reply) {
    struct Note {
      HttpStreamTest& test;
      ~Note() { test.handler_ended.set_value(); }
    } note{*this};
    aio::Notifier gone_now(io);
    reply.on_gone([&] {
      ++gone_calls;
      gone_at = Clock::now();
      gone_now.notify_all();
    });
    if (request.target == "/stream") {
      const bool begun = co_await reply.begin(200, "text/event-stream; charset=utf-8", {});
      EXPECT_TRUE(begun);
    }
    entered.set_value();
    try {
      while (!reply.gone()) co_await gone_now.wait();
    } catch (const std::exception& error) {
      was_cancelled = aio::is_cancelled(error);
      throw;
    }
    if (request.target == "/stream") {
      const bool written = co_await write(reply, "nobody reads this");
      EXPECT_FALSE(written);
    } else if (request.target == "/answer") {
      HttpResponse response{.body = "late"};
      co_await reply.send(std::move(response));
    }
  }

  // Writes until nobody takes it any more.
  Task<> flood(HttpRequest, HttpReply& reply) {
    co_await reply.begin(200, "text/plain", {});
    reply.on_gone([&] { ++gone_calls; });
    const std::string block(64 << 10, 'x');
    const auto began = Clock::now();
    for (;;) {
      last_write = Clock::now();
      const bool written = co_await write(reply, block);
      if (!written) break;
    }
    stalled_ms = ms_since(last_write);
    flooded_ms = ms_since(began);
    EXPECT_TRUE(reply.gone());
    handler_ended.set_value();
  }

  std::promise<void> entered, handler_ended;
  std::atomic<int> gone_calls = 0;
  std::atomic<bool> was_cancelled = false;
  Clock::time_point gone_at, last_write;
  std::atomic<std::int64_t> stalled_ms = 0, flooded_ms = 0;
};

TEST_F(HttpStreamTest, FramesChunksByHand) {
  start([](HttpRequest, HttpReply& reply) -> Task<> {
    std::vector<HttpHeader> headers{{"Cache-Control", "no-cache"}};
    const bool begun = co_await reply.begin(200, "text/event-stream; charset=utf-8", std::move(headers));
    EXPECT_TRUE(begun);
    const std::vector<std::string_view> several{"a", "", "bc"};
    co_await reply.write(several);
    co_await write(reply, "");  // must not look like the end
    const std::vector<std::string_view> many(1'000, "0123456789");
    co_await reply.write(many);
    co_await reply.finish();
  });
  RawClient client(port);
  for (int i = 0; i < 2; ++i) {
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const auto head = client.until("\r\n\r\n");
    EXPECT_TRUE(head.ends_with(
        "\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\ncache-control: no-cache\r\n\r\n"))
        << head;
    EXPECT_EQ(client.exactly(8), "3\r\nabc\r\n");
    EXPECT_EQ(client.chunk().value().size(), 10'000u);
    EXPECT_EQ(client.exactly(5), "0\r\n\r\n");
  }
}

TEST_F(HttpStreamTest, SpeaksPlainlyToHttp10) {
  start([](HttpRequest, HttpReply& reply) -> Task<> {
    co_await reply.begin(200, "text/plain", {});
    co_await write(reply, "ab");
    co_await write(reply, "cd");
    co_await reply.finish();
  });
  RawClient client(port);
  client.send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
  const auto all = client.rest();
  EXPECT_TRUE(all.ends_with("\r\nconnection: close\r\n\r\nabcd")) << all;
  EXPECT_EQ(all.find("chunked"), std::string::npos);
}

TEST_F(HttpStreamTest, AnswersHeadWithTheHeadOnly) {
  start([](HttpRequest request, HttpReply& reply) -> Task<> {
    const bool begun = co_await reply.begin(200, "text/plain", {});
    EXPECT_EQ(begun, request.method != "HEAD");
    const bool written = co_await write(reply, "ab");
    EXPECT_EQ(written, begun);
    co_await reply.finish();
  });
  RawClient client(port);
  client.send("HEAD / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(client.until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(client.until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(client.chunk(), "ab");
}

TEST_F(HttpStreamTest, NoticesTheClientsCloseAtOnce) {
  start(watching());
  for (const auto* target : {"/stream", "/call"}) {
    for (const bool hard : {false, true}) {
      entered = {}, handler_ended = {}, gone_calls = 0;
      RawClient client(port);
      client.send("GET " + std::string(target) + " HTTP/1.1\r\nhost: x\r\n\r\n");
      within_patience(entered.get_future());
      const auto closed_at = Clock::now();
      if (hard) {
        client.reset();
      } else {
        client.close();
      }
      within_patience(handler_ended.get_future());
      EXPECT_LT(gone_at - closed_at, std::chrono::milliseconds(100)) << target;
      EXPECT_EQ(gone_calls, 1);
      EXPECT_TRUE(connections_become(0));
    }
  }
}

TEST_F(HttpStreamTest, StillAnswersAClientThatOnlyClosedItsSendingHalf) {
  start(watching());
  RawClient client(port);
  client.send("GET /answer HTTP/1.1\r\nhost: x\r\n\r\n");
  within_patience(entered.get_future());
  client.end_input();
  EXPECT_EQ(client.answer().body, "late");
  EXPECT_EQ(gone_calls, 1);
}

TEST_F(HttpStreamTest, DoesNotTakeAPipelinedRequestForAClose) {
  std::promise<void> go;
  aio::Notifier gate(io);
  bool opened = false;
  start([&](HttpRequest request, HttpReply& reply) -> Task<> {
    reply.on_gone([&] { ++gone_calls; });
    if (request.target == "/first") {
      entered.set_value();
      while (!opened) co_await gate.wait();
    }
    HttpResponse response{.body = request.target};
    co_await reply.send(std::move(response));
  });
  RawClient client(port);
  client.send("GET /first HTTP/1.1\r\nhost: x\r\n\r\n");
  within_patience(entered.get_future());
  client.send("GET /second HTTP/1.1\r\nhost: x\r\n\r\n");
  on_loop([&] {
    opened = true;
    gate.notify_all();
  });
  EXPECT_EQ(client.answer().body, "/first");
  EXPECT_EQ(client.answer().body, "/second");
  EXPECT_EQ(client.get("/third").body, "/third");
  EXPECT_EQ(gone_calls, 0);
}

TEST_F(HttpStreamTest, CutsAReaderThatTakesNothing) {
  start(flooding(), {.write_ms = 150});
  RawClient client(port, 8 << 10);
  open(client);
  within_patience(handler_ended.get_future());
  EXPECT_GE(stalled_ms, 140);
  EXPECT_LT(stalled_ms, 1'500);
  EXPECT_TRUE(connections_become(0));
  EXPECT_FALSE(client.rest().ends_with("0\r\n\r\n"));
}

TEST_F(HttpStreamTest, GivesWayToOthersWhileItFloodsAFastReader) {
  start([this](HttpRequest request, HttpReply& reply) -> Task<> {
    if (request.target == "/flood") {
      co_await flood(std::move(request), reply);
    } else {
      HttpResponse response{.body = "quick"};
      co_await reply.send(std::move(response));
    }
  });
  RawClient fast(port), other(port);
  open(fast, "/flood");
  std::atomic<bool> enough = false;
  std::thread reader([&] {
    while (!enough && fast.more() == End::bytes) fast.until("\r\n");
    fast.close();
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(other.get("/").body, "quick");
  enough = true;
  reader.join();
  within_patience(handler_ended.get_future());
}

// A handler whose part is cancelled in the middle of a chunk must not be able to send anything behind it.
TEST_F(HttpStreamTest, CutsTheConnectionOfATornChunk) {
  aio::Scope scope(io);
  std::promise<void> blocked;
  start([&](HttpRequest request, HttpReply& reply) -> Task<> {
    co_await reply.begin(200, "text/plain", {});
    const std::string block(8 << 20, 'x');
    const std::string_view parts[] = {block};
    entered.set_value();
    const auto result = co_await scope.run(reply.write(parts));
    EXPECT_FALSE(result.has_value());
    co_await reply.finish();
    handler_ended.set_value();
  });
  RawClient client(port, 8 << 10);
  open(client);
  within_patience(entered.get_future());
  on_loop([&] { scope.cancel(); });
  within_patience(handler_ended.get_future());
  const auto all = client.rest();
  EXPECT_LT(all.size(), std::size_t{8} << 20);
  EXPECT_FALSE(all.ends_with("0\r\n\r\n"));
}

TEST_F(HttpStreamTest, StopLetsRequestsUnderWayFinish) {
  aio::Notifier gate(io);
  bool opened = false;
  start([&](HttpRequest, HttpReply& reply) -> Task<> {
    entered.set_value();
    while (!opened) co_await gate.wait();
    HttpResponse response{.body = "finished"};
    co_await reply.send(std::move(response));
  });
  RawClient idle(port), busy(port);
  busy.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  within_patience(entered.get_future());
  on_loop([&] { server->close(); });
  EXPECT_EQ(idle.more(), End::closed);
  auto stopped = boost::asio::co_spawn(io, server->stop(5'000), boost::asio::use_future);
  on_loop([&] {
    opened = true;
    gate.notify_all();
  });
  const auto answer = busy.answer();
  EXPECT_EQ(answer.body, "finished");
  EXPECT_NE(answer.head.find("\r\nconnection: close\r\n"), std::string::npos);
  const auto began = Clock::now();
  within_patience(std::move(stopped));
  EXPECT_LT(ms_since(began), 1'000);
}

TEST_F(HttpStreamTest, StopCutsStreamsAfterTheGraceAndCancelsTheirHandlers) {
  start(watching());
  RawClient client(port);
  open(client, "/stream");
  within_patience(entered.get_future());
  const auto took = stop(100);
  EXPECT_GE(took, 95);
  EXPECT_LT(took, 2'000);
  EXPECT_EQ(client.rest(), "");  // no final chunk
  EXPECT_TRUE(was_cancelled);
  EXPECT_EQ(gone_calls, 0);  // a stop is not the client's doing
  EXPECT_LT(stop(100), 95);  // twice is fine
}

TEST_F(HttpStreamTest, StopCutsAWriteUnderWayByCancellation) {
  bool threw = false;
  start([&](HttpRequest, HttpReply& reply) -> Task<> {
    co_await reply.begin(200, "text/plain", {});
    const std::string block(8 << 20, 'x');
    entered.set_value();
    try {
      co_await write(reply, block);
    } catch (const std::exception& error) {
      threw = aio::is_cancelled(error);
      throw;
    }
  });
  RawClient client(port, 8 << 10);
  open(client);
  within_patience(entered.get_future());
  stop(0);
  EXPECT_TRUE(threw);
}

TEST_F(HttpStreamTest, StopsWithoutHavingRun) {
  HttpServer never(io, {}, [](HttpRequest, HttpReply&) -> Task<> { co_return; });
  boost::asio::co_spawn(io, never.stop(1'000), boost::asio::use_future);
  io.restart();
  work.reset();
  io.run();
}

TEST_F(HttpStreamTest, ServesManyStreamsAtOnce) {
  constexpr std::size_t kStreams = 200;
  constexpr int kEvents = 20;
  aio::Notifier tick(io);
  int published = 0;
  start([&](HttpRequest request, HttpReply& reply) -> Task<> {
    const std::string label = request.target;
    co_await reply.begin(200, "text/event-stream", {});
    for (int cursor = 0; cursor < kEvents; ++cursor) {
      while (cursor >= published) co_await tick.wait();
      const auto number = std::to_string(cursor);
      const std::string_view parts[] = {label, ":", number};
      const bool written = co_await reply.write(parts);
      if (!written) co_return;
    }
    co_await reply.finish();
  });
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < kStreams; ++i) {
    clients.push_back(std::make_unique<RawClient>(port));
    open(*clients.back(), "/" + std::to_string(i));
  }
  EXPECT_TRUE(connections_become(kStreams));
  for (int event = 1; event <= kEvents; ++event) {
    on_loop([&] {
      published = event;
      tick.notify_all();
    });
  }
  for (std::size_t i = 0; i < kStreams; ++i) {
    for (int event = 0; event < kEvents; ++event)
      ASSERT_EQ(clients[i]->chunk(), "/" + std::to_string(i) + ":" + std::to_string(event));
    EXPECT_EQ(clients[i]->until("\r\n\r\n"), "0\r\n\r\n");
    if (i % 2) clients[i]->reset();
  }
  clients.clear();
  EXPECT_TRUE(connections_become(0));
}

}  // namespace
}  // namespace net
