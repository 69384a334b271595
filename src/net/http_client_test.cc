#include "net/http_client.h"

#include <stdlib.h>

#include "aio/notifier.h"
#include "aio/scope.h"
#include "base/limits.h"
#include "net/http_client_fixture.h"

namespace net {
namespace {

using base::Errc;

class HttpClientTest : public LoopbackTest {};

TEST_F(HttpClientTest, SendsMethodHeadersAndBodyAndReadsTheAnswer) {
  PeerRequest seen;
  auto serve = [&](Peer& peer) -> aio::Task<> {
    seen = co_await peer.request();
    co_await peer.answer(201, "Content-Type: text/plain\r\nX-Odd:  spaced \r\n", "hello");
  };
  auto test = [&]() -> aio::Task<> {
    HttpCall call{.method = "POST",
                  .url = url("/v1/x?y=1"),
                  .headers = {{"X-Key", "secret"}, {"X-Empty", ""}},
                  .body = "{}",
                  .connect_ms = 1'000};
    const auto exchange = client.start(std::move(call));
    const auto head = co_await exchange->head();
    EXPECT_TRUE(head.has_value());
    if (!head) co_return;
    EXPECT_EQ(head->status, 201);
    EXPECT_EQ(head->header("content-type"), "text/plain");
    EXPECT_EQ(head->header("x-odd"), "spaced");
    EXPECT_EQ(head->header("x-none"), std::nullopt);
    const auto body = co_await read_all(*exchange);
    EXPECT_EQ(body.bytes, "hello");
    EXPECT_FALSE(body.error);
  };
  run(serve, test());
  EXPECT_TRUE(seen.head.starts_with("POST /v1/x?y=1 HTTP/1.1\r\n")) << seen.head;
  EXPECT_NE(seen.head.find("X-Key: secret\r\n"), std::string::npos);
  EXPECT_NE(seen.head.find("X-Empty:"), std::string::npos);
  EXPECT_EQ(seen.head.find("Expect"), std::string::npos);
  EXPECT_NE(seen.head.find("User-Agent: outlast/"), std::string::npos);
  EXPECT_EQ(seen.body, "{}");
}

TEST_F(HttpClientTest, ReadGivesBytesAsTheyArrive) {
  aio::Notifier go(io);
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.chunk("one");
    co_await go.wait();
    co_await peer.chunk("two");
    co_await peer.end_stream();
  };
  auto test = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto first = co_await exchange->read();
    EXPECT_EQ(first.value(), "one");
    go.notify_all();
    const auto second = co_await exchange->read();
    EXPECT_EQ(second.value(), "two");
    const auto end = co_await exchange->read();
    EXPECT_EQ(end.value(), "");
    const auto again = co_await exchange->read();
    EXPECT_EQ(again.value(), "");
  };
  run(serve, test());
}

TEST_F(HttpClientTest, InformationalAnswersAndTrailersAreNoPartOfTheHead) {
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.send("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n");
    co_await peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: t\r\n\r\n1\r\na\r\n0\r\nt: late\r\n\r\n");
  };
  auto test = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto head = co_await exchange->head();
    EXPECT_EQ(head.value().status, 200);
    EXPECT_EQ(head->header("link"), std::nullopt);
    const auto body = co_await read_all(*exchange);
    EXPECT_EQ(body.bytes, "a");
    const auto later = co_await exchange->head();
    EXPECT_EQ(later->header("t"), std::nullopt);
  };
  run(serve, test());
}

TEST_F(HttpClientTest, RefusedConnectionIsANetworkErrorThatNamesTheHost) {
  auto test = [&]() -> aio::Task<> {
    HttpCall call{.method = "GET",
                  .url = "http://user:hidden@127.0.0.1:1/",
                  .headers = {{"X-Key", "secret"}},
                  .body = {},
                  .connect_ms = 1'000};
    const auto exchange = client.start(std::move(call));
    const auto head = co_await exchange->head();
    EXPECT_EQ(head.error().code, Errc::network);
    EXPECT_NE(head.error().message.find("127.0.0.1:1"), std::string::npos) << head.error().message;
    EXPECT_EQ(head.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(head.error().message.find("hidden"), std::string::npos);
    const auto body = co_await exchange->read();
    EXPECT_EQ(body.error().code, Errc::network);
  };
  run([](Peer&) -> aio::Task<> { co_return; }, test());
}

TEST_F(HttpClientTest, SilenceDuringConnectEndsAtTheLimit) {
  // The peer accepts, but never speaks TLS: for a caller that is not connected.
  auto serve = [&](Peer& peer) -> aio::Task<> { co_await peer.closed(); };
  auto test = [&]() -> aio::Task<> {
    auto call = get();
    call.url.replace(0, 4, "https");
    call.connect_ms = 50;
    const auto exchange = client.start(std::move(call));
    const auto head = co_await exchange->head();
    EXPECT_EQ(head.error().code, Errc::timed_out) << head.error().message;
  };
  run(serve, test());
}

TEST_F(HttpClientTest, BrokenBodyGivesItsBytesAndThenTheError) {
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
    peer.socket.close();
  };
  auto test = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto body = co_await read_all(*exchange);
    EXPECT_EQ(body.bytes, "half");
    EXPECT_TRUE(body.error && body.error->code == Errc::network);
  };
  run(serve, test());
}

TEST_F(HttpClientTest, CutChunkedBodyIsAnError) {
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.chunk("part");
    peer.socket.close();
  };
  auto test = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto body = co_await read_all(*exchange);
    EXPECT_EQ(body.bytes, "part");
    EXPECT_TRUE(body.error && body.error->code == Errc::network);
  };
  run(serve, test());
}

TEST_F(HttpClientTest, ClosingWithoutAnAnswerIsANetworkError) {
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    peer.socket.close();
  };
  auto test = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto head = co_await exchange->head();
    EXPECT_EQ(head.error().code, Errc::network);
  };
  run(serve, test());
}

TEST_F(HttpClientTest, ReaderThatDoesNotReadStopsTheTransfer) {
  constexpr std::size_t kTotal = 64 << 20;
  std::size_t sent = 0;
  bool all_sent = false;
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(kTotal) + "\r\n\r\n");
    const std::string block(64 << 10, 'x');
    for (sent = 0; sent < kTotal; sent += block.size()) co_await peer.send(block);
    all_sent = true;
  };
  auto test = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto first = co_await exchange->read();
    std::size_t total = first.value().size();
    // Wait until the sender is stuck: it has not moved in ten turns of a short timer.
    boost::asio::steady_timer timer(io);
    for (std::size_t seen = 0, still = 0; still < 10;) {
      timer.expires_after(std::chrono::milliseconds(5));
      co_await timer.async_wait(boost::asio::use_awaitable);
      still = seen == sent ? still + 1 : 0;
      seen = sent;
    }
    EXPECT_FALSE(all_sent);  // what the kernel's buffers hold, and ours
    for (;;) {
      const auto bytes = co_await exchange->read();
      if (!bytes || bytes->empty()) {
        EXPECT_TRUE(bytes.has_value());
        break;
      }
      EXPECT_LE(bytes->size(), base::limits::kResponseBufferBytesMax + (64 << 10));
      total += bytes->size();
    }
    EXPECT_EQ(total, kTotal);
  };
  run(serve, test());
}

TEST_F(HttpClientTest, DestroyingAnExchangeClosesItsConnection) {
  aio::Notifier closed(io);
  bool saw_close = false;
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.chunk("x");
    co_await peer.closed();
    saw_close = true;
    closed.notify_all();
  };
  auto test = [&]() -> aio::Task<> {
    auto exchange = client.start(get());
    const auto first = co_await exchange->read();
    EXPECT_EQ(first.value(), "x");
    exchange.reset();
    while (!saw_close) co_await closed.wait();
  };
  run(serve, test());
}

TEST_F(HttpClientTest, CancellingTheReaderClosesTheConnection) {
  aio::Notifier changed(io);
  bool streaming = false, saw_close = false;
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    streaming = true;
    changed.notify_all();
    co_await peer.closed();
    saw_close = true;
    changed.notify_all();
  };
  auto reader = [&]() -> aio::Task<int> {
    const auto exchange = client.start(get());
    const auto bytes = co_await exchange->read();
    co_return bytes ? 1 : 2;
  };
  aio::Scope scope(io);
  auto cancel_later = [&]() -> aio::Task<> {
    while (!streaming) co_await changed.wait();
    scope.cancel();
  };
  auto test = [&]() -> aio::Task<> {
    spawn(cancel_later());
    const auto outcome = co_await scope.run(reader());
    EXPECT_FALSE(outcome);
    while (!saw_close) co_await changed.wait();
  };
  run(serve, test());
}

TEST_F(HttpClientTest, AConnectionIsUsedAgain) {
  auto serve = [&](Peer& peer) -> aio::Task<> {
    for (;;) {
      co_await peer.request();
      co_await peer.answer(200, "", "ok");
    }
  };
  auto test = [&]() -> aio::Task<> {
    for (int i = 0; i < 5; ++i) {
      const auto exchange = client.start(get());
      const auto body = co_await read_all(*exchange);
      EXPECT_EQ(body.bytes, "ok");
    }
  };
  run(serve, test());
  EXPECT_EQ(accepted, 1);
}

TEST_F(HttpClientTest, HundredsOfTransfersAtOnce) {
  constexpr int kCalls = 300;
  int arrived = 0, finished = 0;
  aio::Notifier all(io), done(io);
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    if (++arrived == kCalls) all.notify_all();
    while (arrived < kCalls) co_await all.wait();  // nobody is answered before everybody has asked
    co_await peer.answer(200, "", "ok");
  };
  auto one = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto body = co_await read_all(*exchange);
    EXPECT_EQ(body.bytes, "ok");
    if (++finished == kCalls) done.notify_all();
  };
  auto test = [&]() -> aio::Task<> {
    for (int i = 0; i < kCalls; ++i) spawn(one());
    while (finished < kCalls) co_await done.wait();
  };
  run(serve, test());
  EXPECT_EQ(accepted, kCalls);
}

TEST_F(HttpClientTest, RedirectsAreNotFollowed) {
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.answer(307, "location: http://127.0.0.1:1/\r\n", "");
  };
  auto test = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto head = co_await exchange->head();
    EXPECT_EQ(head.value().status, 307);
    EXPECT_EQ(head->header("location"), "http://127.0.0.1:1/");
  };
  run(serve, test());
}

TEST_F(HttpClientTest, UnusableCallsAreRefusedWithoutSayingWhatTheyHold) {
  auto test = [&]() -> aio::Task<> {
    auto injected = get();
    injected.headers = {{"Authorization", "Bearer secret\r\nX-Evil: 1"}};
    const auto first = client.start(std::move(injected));
    const auto head = co_await first->head();
    EXPECT_EQ(head.error().code, Errc::invalid_argument);
    EXPECT_EQ(head.error().message.find("secret"), std::string::npos);
    for (const auto* bad : {"", "localhost:8080/v1", "ftp://127.0.0.1/", "file:///etc/passwd", "http://"}) {
      auto call = get();
      call.url = bad;
      const auto exchange = client.start(std::move(call));
      const auto refused = co_await exchange->head();
      EXPECT_EQ(refused.error().code, Errc::invalid_argument) << bad;
      const auto body = co_await exchange->read();
      EXPECT_EQ(body.error().code, Errc::invalid_argument) << bad;
    }
  };
  run([](Peer&) -> aio::Task<> { co_return; }, test());
  EXPECT_EQ(accepted, 0);
}

TEST_F(HttpClientTest, AnswersThatAreNoHttpAndEndlessHeadersAreErrors) {
  int turn = 0;
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    if (++turn == 1) co_await peer.send("SSH-2.0-OpenSSH\r\n");
    if (turn == 2) {
      co_await peer.send("HTTP/1.1 200 OK\r\n");
      const auto line = "x: " + std::string(8'000, 'y') + "\r\n";
      for (int i = 0; i < 100; ++i) co_await peer.send(line);
    }
    co_await peer.closed();
  };
  auto test = [&]() -> aio::Task<> {
    for (int i = 0; i < 2; ++i) {
      const auto exchange = client.start(get());
      const auto head = co_await exchange->head();
      EXPECT_EQ(head.error().code, Errc::network);
    }
  };
  run(serve, test());
}

TEST_F(HttpClientTest, ALocalServerIsReachedInSpiteOfAProxy) {
  ASSERT_EQ(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
  auto serve = [&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.answer(200, "", "direct");
  };
  auto test = [&]() -> aio::Task<> {
    const auto exchange = client.start(get());
    const auto body = co_await read_all(*exchange);
    EXPECT_EQ(body.bytes, "direct");
  };
  run(serve, test());
  unsetenv("http_proxy");
}

TEST_F(HttpClientTest, LargeBodiesAreSentWithoutARoundTrip) {
  const std::string large(3 << 20, 'b');
  std::size_t received = 0;
  auto serve = [&](Peer& peer) -> aio::Task<> {
    const auto request = co_await peer.request();
    received = request.body.size();
    co_await peer.answer(200, "", "ok");
  };
  auto test = [&]() -> aio::Task<> {
    auto call = get();
    call.method = "POST";
    call.body = large;
    const auto exchange = client.start(std::move(call));
    const auto head = co_await exchange->head();
    EXPECT_EQ(head.value().status, 200);
  };
  run(serve, test());
  EXPECT_EQ(received, large.size());
}

}  // namespace
}  // namespace net
