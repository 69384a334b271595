#pragma once
// A blocking HTTP/1.1 client over a raw loopback socket: as little as possible between the server and the clock.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "bench/common/fd.h"

namespace bench {

Fd connect_loopback(std::uint16_t port);
// A listening socket on a port that the system chooses.
Fd listen_loopback(std::uint16_t& port);

class Connection {
 public:
  explicit Connection(std::uint16_t port) : fd_(connect_loopback(port)) {}
  void send(std::string_view bytes);
  // What has come, at least one byte; empty at the end.
  std::string_view receive(std::span<char> into);
  // One request and its answer, which must have a content-length; the answer's head and body.
  std::string exchange(std::string_view request);
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

std::string get_request(const std::string& target, std::string_view more_headers = "");
std::string form_request(const std::string& target, const std::string& form, std::string_view more_headers = "");

// Finds the event indices ("id: N" lines) in a stream of server-sent events, whatever way it is cut into chunks and reads.
class IdScanner {
 public:
  void feed(std::string_view bytes, const std::function<void(std::int64_t index)>& found);

 private:
  std::string rest_;  // behind the last whole line
};

}  // namespace bench
