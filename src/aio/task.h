#pragma once
// Coroutines of the project. Everything runs on one io thread per process (ARCHITECTURE.md "One io thread").
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace aio {

namespace asio = boost::asio;

template <class T = void>
using Task = asio::awaitable<T>;

// Thrown out of an await when its scope or group was cancelled: boost::system::system_error with operation_aborted.
bool is_cancelled(const std::exception& error);

}  // namespace aio
