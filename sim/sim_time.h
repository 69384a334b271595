#pragma once
// aio::Time of one simulated process: the world's clock while it lives. A dead process goes on in a time of its own, in which
// every sleep is over at once, so that its coroutines can be unwound.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>

#include "aio/time.h"
#include "sim/life.h"

namespace sim {

class SimTime final : public aio::Time {
 public:
  // All must outlive it.
  SimTime(boost::asio::io_context& io, const Clockwork& clock, std::shared_ptr<Life> life)
      : io_(io), clock_(clock), life_(std::move(life)) {}

  std::int64_t wall_ms() const override { return clock_.wall_ms() + afterlife_ms_; }
  std::int64_t steady_ms() const override { return clock_.steady_ms() + afterlife_ms_; }
  aio::Task<> sleep(std::chrono::milliseconds duration) override;

  // After the process has died: ends every sleep.
  void wake_all();

 private:
  struct Alarm;
  boost::asio::io_context& io_;
  const Clockwork& clock_;
  const std::shared_ptr<Life> life_;
  std::int64_t afterlife_ms_ = 0;
  std::uint64_t last_alarm_ = 0;
  std::map<std::uint64_t, Alarm*> alarms_;
};

}  // namespace sim
