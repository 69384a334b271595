#pragma once
// Wakes other processes on this machine: a few bytes of a file are written, inotify wakes its watchers. A ring carries no
// data that correctness depends on; whoever misses one finds the rows by polling.
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aio/task.h"

namespace store {

class Doorbell {
 public:
  // Creates `path` if it is not there. Throws base::Broken when that is impossible.
  explicit Doorbell(std::string path);
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // Any thread. `number` is a hint for the listeners; it should differ from ring to ring.
  void ring(std::int64_t number);
  // The number of the last ring of any process.
  std::int64_t last() const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_;
};

// Waits for rings of several bells. Io thread. Where the system grants no inotify instance, it looks every 50 ms.
class BellWatch {
 public:
  // The bells must outlive the watch. Bell n of the list is bit n of what rung() returns.
  BellWatch(boost::asio::io_context& io, std::vector<const Doorbell*> bells);
  // Ends after at least one ring since the last call; several rings may be one.
  aio::Task<std::uint32_t> rung();

 private:
  std::uint32_t drain();
  std::uint32_t look();

  std::vector<const Doorbell*> bells_;
  std::vector<int> watches_;             // inotify's numbers, parallel to bells_
  std::vector<std::int64_t> seen_;       // without inotify
  std::optional<boost::asio::posix::stream_descriptor> inotify_;
  boost::asio::steady_timer timer_;
};

}  // namespace store
