#pragma once
// Deadlines of many connections on one timer. A connection has at most one deadline at a time, and deadlines of one kind
// are equally far away, so each kind is a queue in order of time: arming and disarming cost O(1), and a connection at rest
// pays 24 bytes instead of a timer with its pending wait.
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>

#include "aio/task.h"

namespace net {

using DeadlineHook = boost::intrusive::list_base_hook<boost::intrusive::tag<class Deadline>,
                                                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

// Io thread only. Destroying it disarms it.
class Deadline : public DeadlineHook {
 public:
  void disarm() { unlink(); }
  bool armed() const { return is_linked(); }

 protected:
  Deadline() = default;
  ~Deadline() = default;

 private:
  friend class Deadlines;
  // The deadline has passed; it is disarmed already.
  virtual void expired() = 0;
  std::chrono::steady_clock::time_point at_;
};

// Io thread only.
class Deadlines {
 public:
  enum class Kind : std::size_t { read, idle, write, linger };
  static constexpr std::size_t kKinds = 4;

  // The limit of each kind, in milliseconds.
  Deadlines(boost::asio::io_context& io, const std::array<std::int64_t, kKinds>& limits_ms);

  // Replaces the deadline that was armed before.
  void arm(Deadline& deadline, Kind kind);
  // Calls what has expired, until it is cancelled.
  aio::Task<> run();

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Queue =
      boost::intrusive::list<Deadline, boost::intrusive::base_hook<DeadlineHook>, boost::intrusive::constant_time_size<false>>;
  void expire(Time now);
  Time earliest() const;

  std::array<std::chrono::milliseconds, kKinds> limits_;
  std::array<Queue, kKinds> queues_;
  boost::asio::steady_timer timer_;
  Time wakes_at_ = Time::max();
};

}  // namespace net
