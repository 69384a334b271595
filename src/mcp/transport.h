#pragma once
// What carries messages between a client and a server: a process' pipes, or HTTP. One transport is one connection.
#include <string>
#include <string_view>

#include "aio/task.h"
#include "base/error.h"

namespace mcp {

// Who hears what a server says. Io thread; called from inside of the transport's tasks.
class Listener {
 public:
  virtual ~Listener() = default;
  // One message as text; or what the server takes for one.
  virtual void received(std::string_view text) = 0;
  // A message was longer than kMcpMessageBytesMax. Nobody knows what it said.
  virtual void received_too_long() = 0;
};

// Io thread. listen() once, first; send() while it runs; close() when it has come back.
class Transport {
 public:
  virtual ~Transport() = default;

  // Connects, and hears what the server says by itself. Comes back when nothing more can be said either way, with the reason.
  virtual aio::Task<std::string> listen(Listener& listener) = 0;

  // Hands one message over; over HTTP comes back when what the server says to it has been heard. Errc::unavailable: the
  // server has not taken it; network, invalid_argument: it may have; lease_lost: it takes nothing any more, the session is gone.
  virtual aio::Task<base::Result<>> send(std::string message, Listener& listener) = 0;

  // Whether nothing answers a request any more once send() has come back.
  virtual bool answers_while_sending() const = 0;

  // The handshake is done; what it came to.
  virtual void agreed(std::string_view version) = 0;

  // Nothing of it goes on afterwards. Takes a bounded time.
  virtual aio::Task<> close() = 0;
};

}  // namespace mcp
