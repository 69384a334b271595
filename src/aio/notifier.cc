#include "aio/notifier.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

namespace aio {

Task<> Notifier::wait() {
  // A notify and a cancellation of the waiting task both end the wait as operation_aborted; the task's own state tells them apart.
  co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) throw boost::system::system_error(asio::error::operation_aborted);
}

Task<bool> wait_for(Time& time, Notifier& notifier, std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  auto both = notifier.wait() || time.sleep(limit);
  const auto first = co_await std::move(both);
  co_return first.index() == 0;
}

}  // namespace aio
