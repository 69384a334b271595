#pragma once
// For tests: a sink that records, decoding with the bytes cut anywhere, virtual time, a runner for coroutines.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aio/time.h"
#include "base/text.h"
#include "llm/wire.h"

namespace llm {

class RecordingSink : public DeltaSink {
 public:
  void text(std::string_view delta) override {
    check(delta);
    said += delta;
    ++text_count;
  }
  void thinking(std::string_view delta) override {
    check(delta);
    thought += delta;
    ++thinking_count;
  }
  aio::Task<> ready() override {
    ++ready_count;
    if (on_ready) on_ready();
    co_return;
  }

  std::string said, thought;
  int text_count = 0, thinking_count = 0, ready_count = 0;
  std::function<void()> on_ready;

 private:
  static void check(std::string_view delta) {
    EXPECT_FALSE(delta.empty());
    EXPECT_TRUE(base::valid_utf8(delta));
  }
};

struct Decoded {
  std::string said, thought;
  std::expected<ModelResult, ModelError> result;

  bool same(const Decoded& other) const {
    if (said != other.said || thought != other.thought || result.has_value() != other.result.has_value()) return false;
    if (!result)
      return result.error().message == other.result.error().message && result.error().code == other.result.error().code;
    return result->stop == other.result->stop && result->tool_calls == other.result->tool_calls &&
           result->thinking == other.result->thinking && result->usage == other.result->usage &&
           result->response_id == other.result->response_id;
  }
};

// Decodes the chunks; each is gone when the next one is fed, as a network buffer is.
inline Decoded decode_chunks(const WireFormat& format, const ModelRequest& request, const std::vector<std::string_view>& chunks) {
  RecordingSink sink;
  const auto decoder = format.decoder(request);
  for (const auto chunk : chunks) {
    const auto copy = std::make_unique<char[]>(chunk.size() + 1);
    chunk.copy(copy.get(), chunk.size());
    const auto fed = decoder->feed({copy.get(), chunk.size()}, sink);
    if (!fed) return {sink.said, sink.thought, std::unexpected(fed.error())};
  }
  auto result = decoder->finish(sink);
  return {sink.said, sink.thought, std::move(result)};
}

// Decodes the whole, then cut in two at every byte, then byte by byte: all must say the same.
inline Decoded decode(const WireFormat& format, std::string_view stream, const ModelRequest& request = {}) {
  const auto whole = decode_chunks(format, request, {stream});
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    const auto cut = decode_chunks(format, request, {stream.substr(0, at), stream.substr(at)});
    EXPECT_TRUE(cut.same(whole)) << "cut at byte " << at;
    if (!cut.same(whole)) break;
  }
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < stream.size(); ++at) bytes.push_back(stream.substr(at, 1));
  EXPECT_TRUE(decode_chunks(format, request, bytes).same(whole)) << "byte by byte";
  return whole;
}

// Time that passes only by sleeping.
class VirtualTime final : public aio::Time {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000 + now_ms; }
  std::int64_t steady_ms() const override { return now_ms; }
  aio::Task<> sleep(std::chrono::milliseconds duration) override {
    now_ms += duration.count();
    const auto executor = co_await aio::asio::this_coro::executor;
    co_await aio::asio::post(executor, aio::asio::use_awaitable);
  }
  std::int64_t now_ms = 0;
};

template <class T>
T run_task(boost::asio::io_context& io, aio::Task<T> task) {
  std::optional<T> out;
  std::exception_ptr failure;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, T value) {
    failure = thrown;
    if (!thrown) out = std::move(value);
  });
  io.restart();
  io.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*out);
}

inline run::Message user(std::string text) { return {.role = run::Role::user, .text = std::move(text)}; }
inline run::Message assistant(std::string text, std::vector<run::ToolCall> calls = {}) {
  return {.role = run::Role::assistant, .text = std::move(text), .tool_calls = std::move(calls)};
}
inline run::Message tool_result(std::string id, std::string text) {
  return {.role = run::Role::tool, .text = std::move(text), .tool_call_id = std::move(id)};
}

}  // namespace llm
