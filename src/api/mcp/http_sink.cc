#include "api/mcp/http_sink.h"

#include <array>
#include <utility>

namespace api::mcp {

// One write at a time: a sign of life and a message may meet.
aio::Task<bool> HttpSink::write(std::string text) {
  while (writing_) co_await free_.wait();
  if (gone_) co_return false;
  writing_ = true;
  bool there = true;
  if (!std::exchange(streaming_, true)) {
    headers_.push_back({"cache-control", "no-cache, no-transform"});
    headers_.push_back({"x-accel-buffering", "no"});
    there = co_await reply_.begin(200, "text/event-stream", headers_);
  }
  const std::array parts{std::string_view(text)};
  if (there) there = co_await reply_.write(parts);
  gone_ = !there;
  writing_ = false;
  free_.notify_all();
  co_return there;
}

aio::Task<bool> HttpSink::send(std::string message) {
  if (!takes_stream_) co_return !gone_;
  co_return co_await write("event: message\ndata: " + message + "\n\n");
}

aio::Task<> HttpSink::keep_alive() {
  if (takes_stream_) co_await write(": keepalive\n\n");
}

aio::Task<> HttpSink::finish(std::string answer, int status) {
  if (!streaming_) {
    net::HttpResponse response{.status = status, .body = std::move(answer), .headers = std::move(headers_)};
    co_return co_await reply_.send(std::move(response));
  }
  if (co_await write("event: message\ndata: " + answer + "\n\n")) co_await reply_.finish();
}

}  // namespace api::mcp
