#include "sim/sim_time.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace sim {

namespace asio = boost::asio;

// Lives in the frame of the sleeper.
struct SimTime::Alarm {
  Alarm(SimTime& owner) : time(owner), number(++owner.last_alarm_), timer(owner.io_, asio::steady_timer::time_point::max()) {
    time.alarms_.emplace(number, this);
  }
  ~Alarm() { time.alarms_.erase(number); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  void ring() {
    rung = true;
    timer.cancel();
  }

  SimTime& time;
  const std::uint64_t number;
  asio::steady_timer timer;
  bool rung = false;
};

aio::Task<> SimTime::sleep(std::chrono::milliseconds duration) {
  if (life_->dead()) {
    afterlife_ms_ += std::max<std::int64_t>(duration.count(), 1);
    co_await asio::post(io_, asio::use_awaitable);
    co_return;
  }
  Alarm alarm(*this);
  life_->after(duration.count(), [this, number = alarm.number] {
    if (const auto at = alarms_.find(number); at != alarms_.end()) at->second->ring();
  });
  co_await alarm.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (!alarm.rung || state.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
}

void SimTime::wake_all() {
  for (const auto& [number, alarm] : alarms_) alarm->ring();
}

}  // namespace sim
