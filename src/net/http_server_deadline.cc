#include "net/http_server_deadline.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace net {

namespace asio = boost::asio;

Deadlines::Deadlines(asio::io_context& io, const std::array<std::int64_t, kKinds>& limits_ms) : timer_(io) {
  std::ranges::transform(limits_ms, limits_.begin(), [](std::int64_t ms) { return std::chrono::milliseconds(ms); });
}

void Deadlines::arm(Deadline& deadline, Kind kind) {
  const auto index = static_cast<std::size_t>(kind);
  deadline.disarm();
  deadline.at_ = std::chrono::steady_clock::now() + limits_[index];
  queues_[index].push_back(deadline);
  // The timer sleeps until the earliest deadline it knew; one that was disarmed since costs one needless wake-up.
  if (deadline.at_ < wakes_at_) timer_.cancel();
}

aio::Task<> Deadlines::run() {
  for (;;) {
    expire(std::chrono::steady_clock::now());
    wakes_at_ = earliest();
    timer_.expires_at(wakes_at_);
    // Ends at the time, by arm(), or because this task is cancelled: then the next turn's wait throws.
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void Deadlines::expire(Time now) {
  for (auto& queue : queues_) {
    while (!queue.empty() && queue.front().at_ <= now) {
      auto& deadline = queue.front();
      queue.pop_front();
      deadline.expired();
    }
  }
}

Deadlines::Time Deadlines::earliest() const {
  auto first = Time::max();
  for (const auto& queue : queues_)
    if (!queue.empty()) first = std::min(first, queue.front().at_);
  return first;
}

}  // namespace net
