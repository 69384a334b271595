#include "cli/signals.h"

#include <csignal>

namespace cli {

Signals::Signals(boost::asio::io_context& io, std::function<void(int)> received)
    : received_(std::make_shared<Received>(std::move(received))), set_(io, SIGINT, SIGTERM, SIGHUP) {
  listen(set_, received_);
}

Signals::~Signals() { set_.cancel(); }

void Signals::listen(boost::asio::signal_set& set, const std::shared_ptr<Received>& received) {
  set.async_wait([&set, weak = std::weak_ptr(received)](const boost::system::error_code& ec, int signal) {
    const auto alive = weak.lock();
    if (ec || !alive) return;
    (*alive)(signal);
    listen(set, alive);
  });
}

}  // namespace cli
