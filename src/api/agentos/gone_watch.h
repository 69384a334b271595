#pragma once
// What tells a waiting handler that its client has left.
#include "engine/live_logs.h"
#include "net/http_server.h"

namespace api::agentos {

// Wakes a reader when its client leaves, for as long as the watch is there. Both arguments outlive it.
class GoneWatch {
 public:
  GoneWatch(net::HttpReply& reply, engine::LiveLogs::Reader& reader) : reply_(reply) {
    reply.on_gone([&reader] { reader.wake(); });
  }
  ~GoneWatch() {
    reply_.on_gone([] {});
  }
  GoneWatch(const GoneWatch&) = delete;
  GoneWatch& operator=(const GoneWatch&) = delete;

 private:
  net::HttpReply& reply_;
};

}  // namespace api::agentos
