#pragma once
// Blocking work in a bounded pool of threads. Awaiting it cannot be cut short: put limits inside the work itself.
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <type_traits>
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
    using Value = std::invoke_result_t<Work&>;
    if constexpr (std::is_void_v<Value>) {
      co_await perform(work);
    } else {
      std::optional<Value> value;
      auto step = [&value, &work] { value.emplace(work()); };
      co_await perform(step);
      co_return std::move(*value);
    }
  }

 private:
  // Cancellation must not cross executors in this Asio (use after free). Nothing here listens to the awaiting task's slot, and no
  // task of its own is spawned on the pool, which would cost more than most of the work.
  template <class Step>
  Task<> perform(Step& step) {
    auto initiate = [this, &step](auto handler) {
      auto home = asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
      asio::post(pool_, [&step, home = std::move(home), handler = std::move(handler)]() mutable {
        std::exception_ptr failure;
        try {
          step();
        } catch (...) {
          failure = std::current_exception();
        }
        asio::post(home, [handler = std::move(handler), failure]() mutable { std::move(handler)(failure); });
      });
    };
    co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::exception_ptr)>(initiate, asio::use_awaitable);
  }

  asio::thread_pool pool_;
};

}  // namespace aio
