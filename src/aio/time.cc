#include "aio/time.h"

#include <boost/asio/steady_timer.hpp>

namespace aio {

bool is_cancelled(const std::exception& error) {
  const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
  return system && system->code() == asio::error::operation_aborted;
}

Task<> SystemTime::sleep(std::chrono::milliseconds duration) {
  asio::steady_timer timer(io_, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace aio
