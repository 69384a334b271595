#pragma once
// For tests: one task on a loop that nobody else turns.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <utility>

#include "aio/task.h"

namespace aio {

// Turns the loop until the task has ended; its result, or its exception.
template <class T>
T run_to_end(asio::io_context& io, Task<T> task) {
  io.restart();
  auto future = asio::co_spawn(io, std::move(task), asio::use_future);
  while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) io.run_one();
  return future.get();
}

}  // namespace aio
