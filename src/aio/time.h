#pragma once
// Clock and sleeping behind one interface, so that a simulation can run on virtual time.
#include <chrono>
#include <cstdint>

#include "aio/task.h"
#include "base/clock.h"

namespace aio {

class Time : public base::Clock {
 public:
  // Io thread. Ends early, by exception, when the awaiting task is cancelled.
  virtual Task<> sleep(std::chrono::milliseconds duration) = 0;
};

class SystemTime final : public Time {
 public:
  explicit SystemTime(asio::io_context& io) : io_(io) {}
  std::int64_t wall_ms() const override { return clock_.wall_ms(); }
  std::int64_t steady_ms() const override { return clock_.steady_ms(); }
  Task<> sleep(std::chrono::milliseconds duration) override;

 private:
  asio::io_context& io_;
  base::SystemClock clock_;
};

}  // namespace aio
