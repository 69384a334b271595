#pragma once
// Blocking work in a bounded pool of threads. Awaiting it cannot be cut short: put limits inside the work itself.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "aio/task.h"

namespace aio {

class Offload {
 public:
  explicit Offload(std::size_t threads) : pool_(threads) {}
  ~Offload() { pool_.join(); }

  // Runs work() on a pool thread and comes back to the awaiting executor with its result. Exceptions come through.
  template <class Work>
  Task<std::invoke_result_t<Work&>> run(Work work) {
    // Cancellation must not cross executors in this Asio (use after free): the hop gets a slot that nobody emits to.
    const asio::cancellation_slot none;
    auto task = call(std::move(work));
    co_return co_await asio::co_spawn(pool_, std::move(task), asio::bind_cancellation_slot(none, asio::use_awaitable));
  }

 private:
  template <class Work>
  static Task<std::invoke_result_t<Work&>> call(Work work) {
    co_return work();
  }
  asio::thread_pool pool_;
};

}  // namespace aio
