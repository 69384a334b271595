#include "llm/http_provider.h"

#include "aio/notifier.h"
#include "aio/scope.h"
#include "llm/anthropic_messages.h"
#include "llm/llm_fixture.h"
#include "llm/openai_chat.h"
#include "net/http_client_fixture.h"

namespace llm {
namespace {

using base::Errc;
using net::Peer;

constexpr const char* kKey = "sk-very-secret-0123";

std::string text_chunk(const std::string& text) {
  return R"(data: {"choices":[{"index":0,"delta":{"content":")" + text +
         R"("},"finish_reason":null}]})"
         "\n\n";
}
const std::string kFinish = R"(data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
                            "\n\n";
const std::string kDone = "data: [DONE]\n\n";

class HttpProviderTest : public net::LoopbackTest {
 protected:
  using Outcome = std::expected<ModelResult, ModelError>;

  HttpProviderTest() {
    options.name = "openai";
    options.base_url = url("/v1");
    options.api_key = kKey;
    request.model = "m";
    request.messages = {user("Hi")};
  }

  HttpProvider provider() { return HttpProvider(client, time, std::make_unique<OpenAiChat>("openai"), options); }

  // The outcome of one call while `serve` plays the provider.
  Outcome call(Serve serve) {
    std::optional<Outcome> outcome;
    auto test = [&]() -> aio::Task<> {
      auto subject = provider();
      auto result = co_await subject.call(request, sink);
      outcome = std::move(result);
    };
    run(std::move(serve), test());
    EXPECT_TRUE(!outcome || *outcome || outcome->error().message.find(kKey) == std::string::npos);
    return std::move(*outcome);
  }

  ModelError error_of(Serve serve) {
    auto outcome = call(std::move(serve));
    EXPECT_FALSE(outcome.has_value());
    return outcome ? ModelError{} : outcome.error();
  }

  aio::SystemTime time{io};
  HttpProviderOptions options;
  ModelRequest request;
  RecordingSink sink;
};

TEST_F(HttpProviderTest, StreamsAnAnswer) {
  net::PeerRequest seen;
  const auto outcome = call([&](Peer& peer) -> aio::Task<> {
    seen = co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.chunk(text_chunk("Hel"));
    co_await peer.chunk(text_chunk("lo") + kFinish);
    co_await peer.chunk(kDone);
    co_await peer.end_stream();
  });
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(sink.said, "Hello");
  EXPECT_GE(sink.ready_count, 1);
  EXPECT_TRUE(seen.head.starts_with("POST /v1/chat/completions "));
  EXPECT_NE(seen.head.find("Authorization: Bearer sk-very-secret-0123\r\n"), std::string::npos);
  EXPECT_NE(seen.head.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(seen.body.find("\"stream\":true"), std::string::npos);
}

TEST_F(HttpProviderTest, ReadyIsAwaitedBetweenReads) {
  // Each chunk is sent only when the one before was followed by ready().
  aio::Notifier taken(io);
  sink.on_ready = [&] { taken.notify_all(); };
  const auto outcome = call([&](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    for (int i = 0; i < 10; ++i) {
      co_await peer.chunk(text_chunk("x"));
      while (sink.ready_count <= i) co_await taken.wait();
    }
    co_await peer.chunk(kFinish + kDone);
    co_await peer.end_stream();
  });
  EXPECT_TRUE(outcome.has_value());
  EXPECT_EQ(sink.text_count, 10);
}

TEST_F(HttpProviderTest, RateLimitWithRetryAfter) {
  const auto error = error_of([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.answer(429, "retry-after: 7\r\n",
                         R"({"error":{"message":"scripted error 429","type":"server_error","code":null}})");
  });
  EXPECT_EQ(error.code, Errc::provider_limited);
  EXPECT_TRUE(error.retryable);
  EXPECT_EQ(error.retry_after_ms, 7'000);
  EXPECT_EQ(error.message, "openai answered 429: scripted error 429");
}

TEST_F(HttpProviderTest, RefusedKeyIsNotEchoed) {
  const auto error = error_of([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.answer(401, "", std::string(R"({"error":{"message":"Incorrect API key provided: )") + kKey + "\"}}");
  });
  EXPECT_EQ(error.code, Errc::provider_auth);
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(error.message, "openai answered 401: Incorrect API key provided: [key]");
}

TEST_F(HttpProviderTest, KeyIsNotEchoedFromAStreamNorFromAnEndlessErrorPage) {
  EXPECT_EQ(error_of([](Peer& peer) -> aio::Task<> {
              co_await peer.request();
              co_await peer.begin_stream();
              co_await peer.chunk(std::string(R"(data: {"error":{"message":"bad key )") + kKey + "\"}}\n\n");
              co_await peer.end_stream();
            }).message,
            "openai failed while it answered: bad key [key]");
}

TEST_F(HttpProviderTest, AnEndlessErrorPageIsCut) {
  const auto error = error_of([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.send("HTTP/1.1 500 X\r\ncontent-length: 1000000000\r\n\r\n");
    std::string block;
    for (int i = 0; i < 5'000; ++i) block += kKey;
    for (;;) co_await peer.send(block);
  });
  EXPECT_EQ(error.code, Errc::provider_failed);
  EXPECT_LT(error.message.size(), 2'000U);
}

TEST_F(HttpProviderTest, CutAnswerIsRetryable) {
  const auto error = error_of([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.chunk(text_chunk("a") + text_chunk("b") + "data: {\"cho");
    peer.socket.close();
  });
  EXPECT_EQ(sink.said, "ab");
  EXPECT_EQ(error.code, Errc::provider_failed);
  EXPECT_TRUE(error.retryable);
  EXPECT_TRUE(error.message.starts_with("openai's answer was cut off after 2 deltas: 127.0.0.1:")) << error.message;
}

TEST_F(HttpProviderTest, BreakBehindTheEndOfTheAnswerIsNone) {
  const auto outcome = call([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.chunk(text_chunk("a") + kFinish);
    peer.socket.close();
  });
  EXPECT_TRUE(outcome.has_value());
}

TEST_F(HttpProviderTest, EndOfTheStreamIsNotAwaitedForEver) {
  options.tail_ms = 30;
  const auto outcome = call([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.chunk(text_chunk("a") + kFinish);
    co_await peer.closed();
  });
  EXPECT_TRUE(outcome.has_value());
}

TEST_F(HttpProviderTest, NoFirstTokenInTime) {
  options.first_token_ms = 40;
  const auto error = error_of([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.closed();
  });
  EXPECT_EQ(error.code, Errc::timed_out);
  EXPECT_TRUE(error.retryable);
  EXPECT_EQ(error.message, "openai sent nothing within 40 ms");
}

TEST_F(HttpProviderTest, SilenceInTheMiddle) {
  options.idle_ms = 60;
  const auto error = error_of([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    co_await peer.chunk(text_chunk("a"));
    co_await peer.closed();
  });
  EXPECT_EQ(sink.said, "a");
  EXPECT_EQ(error.code, Errc::timed_out);
  EXPECT_TRUE(error.retryable);
  EXPECT_EQ(error.message, "openai fell silent for 60 ms in the middle of its answer");
}

TEST_F(HttpProviderTest, KeepalivesCountAsLife) {
  options.idle_ms = 600;
  const auto outcome = call([this](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    for (int i = 0; i < 14; ++i) {
      co_await peer.chunk(": keepalive\n\n");
      co_await time.sleep(std::chrono::milliseconds(50));
    }
    co_await peer.chunk(text_chunk("a") + kFinish + kDone);
    co_await peer.end_stream();
  });
  EXPECT_TRUE(outcome.has_value());
}

TEST_F(HttpProviderTest, WholeCallIsBounded) {
  options.timeout_ms = 50;
  const auto error = error_of([this](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.begin_stream();
    for (;;) {
      co_await peer.chunk(text_chunk("a"));
      co_await time.sleep(std::chrono::milliseconds(5));
    }
  });
  EXPECT_EQ(error.code, Errc::timed_out);
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(error.message, "openai did not finish within the timeout of 50 ms");
}

// Not durable yet: ready() takes longer than the provider may be silent.
class SlowSink final : public RecordingSink {
 public:
  explicit SlowSink(aio::Time& time) : time_(time) {}
  aio::Task<> ready() override { co_await time_.sleep(std::chrono::milliseconds(80)); }

 private:
  aio::Time& time_;
};

TEST_F(HttpProviderTest, SlownessOfTheSinkIsNotTheProvidersSilence) {
  options.idle_ms = 40;
  std::optional<Outcome> outcome;
  SlowSink slow(time);
  auto test = [&]() -> aio::Task<> {
    auto subject = provider();
    auto result = co_await subject.call(request, slow);
    outcome = std::move(result);
  };
  run(
      [](Peer& peer) -> aio::Task<> {
        co_await peer.request();
        co_await peer.begin_stream();
        co_await peer.chunk(text_chunk("a"));
        co_await peer.chunk(text_chunk("b") + kFinish + kDone);
        co_await peer.end_stream();
      },
      test());
  EXPECT_TRUE(outcome->has_value());
  EXPECT_EQ(slow.said, "ab");
}

TEST_F(HttpProviderTest, NobodyListens) {
  options.base_url = "http://127.0.0.1:1/v1";
  const auto error = error_of([](Peer&) -> aio::Task<> { co_return; });
  EXPECT_EQ(error.code, Errc::network);
  EXPECT_TRUE(error.retryable);
  EXPECT_TRUE(error.message.starts_with("openai cannot be reached: 127.0.0.1:1: ")) << error.message;
}

TEST_F(HttpProviderTest, UnusableKeyIsFinalAndNotShown) {
  options.api_key = "two\nlines";
  const auto error = error_of([](Peer&) -> aio::Task<> { co_return; });
  EXPECT_EQ(error.code, Errc::invalid_argument);
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(error.message.find("lines"), std::string::npos);
}

TEST_F(HttpProviderTest, RedirectIsAnError) {
  const auto error = error_of([](Peer& peer) -> aio::Task<> {
    co_await peer.request();
    co_await peer.answer(308, "location: https://elsewhere.example/v1\r\n", "");
  });
  EXPECT_FALSE(error.retryable);
  EXPECT_NE(error.message.find("redirects are not followed"), std::string::npos);
}

TEST_F(HttpProviderTest, ConnectionIsUsedAgainAfterAWholeAnswer) {
  auto test = [&]() -> aio::Task<> {
    auto subject = provider();
    for (int i = 0; i < 3; ++i) {
      const auto result = co_await subject.call(request, sink);
      EXPECT_TRUE(result.has_value());
    }
  };
  run(
      [](Peer& peer) -> aio::Task<> {
        for (;;) {
          co_await peer.request();
          co_await peer.begin_stream();
          co_await peer.chunk(text_chunk("a") + kFinish + kDone);
          co_await peer.end_stream();
        }
      },
      test());
  EXPECT_EQ(accepted, 1);
}

TEST_F(HttpProviderTest, CancellingTheCallClosesTheConnectionAndThrows) {
  aio::Notifier changed(io);
  bool saw_close = false, streaming = false;
  aio::Scope scope(io);
  sink.on_ready = [&] {
    streaming = true;
    changed.notify_all();
  };
  auto cancel_later = [&]() -> aio::Task<> {
    while (!streaming) co_await changed.wait();
    scope.cancel();
  };
  auto test = [&]() -> aio::Task<> {
    spawn(cancel_later());
    auto subject = provider();
    const auto outcome = co_await scope.run(subject.call(request, sink));
    EXPECT_FALSE(outcome.has_value());  // Scope lets only a cancellation pass silently
    while (!saw_close) co_await changed.wait();
  };
  run(
      [&](Peer& peer) -> aio::Task<> {
        co_await peer.request();
        co_await peer.begin_stream();
        co_await peer.chunk(text_chunk("a"));
        co_await peer.closed();
        saw_close = true;
        changed.notify_all();
      },
      test());
}

class BrokenSink final : public RecordingSink {
 public:
  aio::Task<> ready() override {
    if (++count > 0) throw base::Broken("the disk is full");
    co_return;
  }
  int count = 0;
};

TEST_F(HttpProviderTest, ExceptionOfTheSinkComesThroughAtOnce) {
  BrokenSink broken;
  auto test = [&]() -> aio::Task<> {
    auto subject = provider();
    co_await subject.call(request, broken);
  };
  EXPECT_THROW(run(
                   [](Peer& peer) -> aio::Task<> {
                     co_await peer.request();
                     co_await peer.begin_stream();
                     co_await peer.chunk(text_chunk("a"));
                     co_await peer.closed();
                   },
                   test()),
               base::Broken);
}

TEST_F(HttpProviderTest, AnthropicOverTheSameDriver) {
  net::PeerRequest seen;
  auto test = [&]() -> aio::Task<> {
    options.name = "anthropic";
    options.base_url = url("");
    HttpProvider subject(client, time, std::make_unique<AnthropicMessages>("anthropic"), options);
    const auto result = co_await subject.call(request, sink);
    EXPECT_TRUE(result.has_value());
  };
  run(
      [&](Peer& peer) -> aio::Task<> {
        seen = co_await peer.request();
        co_await peer.begin_stream();
        co_await peer.chunk(
            "event: message_start\ndata: "
            "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":1}}}\n\n"
            "event: content_block_start\ndata: "
            "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
            "event: content_block_delta\ndata: "
            "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n"
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
        co_await peer.end_stream();
      },
      test());
  EXPECT_EQ(sink.said, "Hi");
  EXPECT_TRUE(seen.head.starts_with("POST /v1/messages ")) << seen.head;
  EXPECT_NE(seen.head.find("x-api-key: sk-very-secret-0123\r\n"), std::string::npos);
}

}  // namespace
}  // namespace llm
