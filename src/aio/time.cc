#include "aio/time.h"

#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/steady_timer.hpp>

namespace aio {

bool is_cancelled(const std::exception& error) {
  // `a || b` of two awaits that were both cut throws both exceptions as one.
  if (const auto* several = dynamic_cast<const asio::multiple_exceptions*>(&error)) {
    try {
      std::rethrow_exception(several->first_exception());
    } catch (const std::exception& first) {
      return is_cancelled(first);
    } catch (...) {
      return false;
    }
  }
  const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
  return system && system->code() == asio::error::operation_aborted;
}

Task<> SystemTime::sleep(std::chrono::milliseconds duration) {
  asio::steady_timer timer(io_, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace aio
