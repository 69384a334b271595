#pragma once
// The executor's end of a shim's socket.
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <optional>
#include <string>

#include "aio/task.h"
#include "process/child_directory.h"

namespace process {

// Io thread.
class ShimLink {
 public:
  explicit ShimLink(boost::asio::io_context& io) : socket_(io) {}

  // False: nobody listens there (yet, or any more).
  bool connect(const ChildDirectory& child);
  aio::Task<> send(std::string line);
  // The next line that the shim says, nothing when it is gone.
  aio::Task<std::optional<std::string>> receive();

 private:
  boost::asio::local::stream_protocol::socket socket_;
  std::string received_;
};

}  // namespace process
