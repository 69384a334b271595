#include "aio/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/error.h"

namespace aio {

TaskGroup::TaskGroup(asio::io_context& io, OnFailure on_failure) : io_(io), on_failure_(std::move(on_failure)), ended_(io) {}

TaskGroup::~TaskGroup() { ASSERT(entries_.empty()); }

bool TaskGroup::spawn(std::string name, Task<> task) {
  if (closed_) return false;
  const auto entry = entries_.emplace(entries_.end());
  entry->name = std::move(name);
  const auto ended = [this, entry](std::exception_ptr failure) {
    if (failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        if (!is_cancelled(error)) on_failure_(entry->name, error.what());
      }
    }
    entries_.erase(entry);
    ended_.notify_all();
  };
  asio::co_spawn(io_, std::move(task), asio::bind_cancellation_slot(entry->signal.slot(), ended));
  return true;
}

void TaskGroup::cancel() {
  // Emitting may end a task at once and erase its entry, so the next position is taken first.
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& signal = at->signal;
    ++at;
    signal.emit(asio::cancellation_type::terminal);
  }
}

Task<> TaskGroup::join() {
  while (!entries_.empty()) co_await ended_.wait();
}

}  // namespace aio
