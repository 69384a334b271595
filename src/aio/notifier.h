#pragma once
// A condition variable for coroutines: everyone who waits is woken by notify_all. A steady_timer carries the wait list,
// because Asio 1.26's experimental channel loses messages and a timer obeys cancellation (cpp pitfalls: ARCHITECTURE.md).
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "aio/task.h"
#include "aio/time.h"

namespace aio {

class Notifier {
 public:
  explicit Notifier(asio::io_context& io) : timer_(io, asio::steady_timer::time_point::max()) {}
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Io thread. Ends at the next notify_all; throws only when the awaiting task itself is cancelled.
  Task<> wait();
  // Io thread.
  void notify_all() { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
};

// As wait, but ends after `limit` of that time too; says whether it was notified.
Task<bool> wait_for(Time& time, Notifier& notifier, std::chrono::milliseconds limit);

}  // namespace aio
