#pragma once
// Ctrl-C, a hang-up and a polite kill, as calls on the io thread while the object lives.
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>

namespace cli {

class Signals {
 public:
  // `received` gets SIGINT, SIGTERM or SIGHUP.
  Signals(boost::asio::io_context& io, std::function<void(int)> received);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  using Received = std::function<void(int)>;
  static void listen(boost::asio::signal_set& set, const std::shared_ptr<Received>& received);

  // Shared with the handler that waits: one that has its signal already may run after the end of this object.
  std::shared_ptr<Received> received_;
  boost::asio::signal_set set_;
};

}  // namespace cli
