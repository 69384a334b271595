#pragma once
// A child task that can be cancelled by name while its parent goes on: the parent does the durable cleanup.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "aio/task.h"

namespace aio {

// Io thread only. One child at a time. A cancel before run() ends the next child at its first await.
class Scope {
 public:
  explicit Scope(asio::io_context& io) : io_(io) {}

  // The child's result, or nothing when it ended because of cancel(). Other exceptions come through.
  template <class T>
  Task<std::optional<T>> run(Task<T> child) {
    if (cancelled_) co_return std::nullopt;
    try {
      auto result = co_await asio::co_spawn(io_, std::move(child), asio::bind_cancellation_slot(signal_.slot(), asio::use_awaitable));
      co_return std::optional<T>(std::move(result));
    } catch (const std::exception& error) {
      if (!cancelled_ || !is_cancelled(error)) throw;
    }
    co_return std::nullopt;
  }

  void cancel() {
    cancelled_ = true;
    signal_.emit(asio::cancellation_type::terminal);
  }
  bool cancelled() const { return cancelled_; }

 private:
  asio::io_context& io_;
  asio::cancellation_signal signal_;
  bool cancelled_ = false;
};

}  // namespace aio
