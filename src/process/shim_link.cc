#include "process/shim_link.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "aio/notifier.h"

namespace process {

namespace asio = boost::asio;

namespace {
constexpr std::size_t kLineBytesMax = 64 << 10;
}

bool ShimLink::connect(const ChildDirectory& child) {
  // A socket's path is short (108 bytes), a home's need not be: it is named through the directory's descriptor.
  const int directory = open(child.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const auto path = "/proc/self/fd/" + std::to_string(directory) + "/" + std::string(kSocketFile);
  boost::system::error_code ec;
  socket_.close(ec);
  socket_.connect(asio::local::stream_protocol::endpoint(path), ec);
  close(directory);
  return !ec;
}

aio::Task<> ShimLink::send(std::string line) {
  line += '\n';
  // A shim that is gone is noticed by receive().
  co_await asio::async_write(socket_, asio::buffer(line), asio::as_tuple(asio::use_awaitable));
}

aio::Task<std::optional<std::string>> ShimLink::receive() {
  auto buffer = asio::dynamic_buffer(received_, kLineBytesMax);
  const auto [ec, bytes] = co_await asio::async_read_until(socket_, buffer, '\n', asio::as_tuple(asio::use_awaitable));
  if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
  if (ec) co_return std::nullopt;
  auto line = received_.substr(0, bytes - 1);
  received_.erase(0, bytes);
  co_return line;
}

}  // namespace process
