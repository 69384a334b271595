#pragma once
// How the answer to a request for a run reaches its client: the four modes of `background` x `stream`, and /resume.
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

#include "api/agentos/stream.h"
#include "api/context.h"
#include "net/http_server.h"

namespace api::agentos {

// Small: it lies in the frames of handlers, which rest for as long as their streams.
struct Delivery {
  std::unique_ptr<store::Run> run;  // the row as it was read
  bool stream = true, background = false;
  bool fresh = true;  // this request made the run (or the leg), no retry of it did
  Opening opening = Opening::events_only;
  std::optional<std::int64_t> after;  // the stream begins behind this event; nothing: with the first
  Detail detail = Detail::all;
};

// What a request comes to: a run to deliver, or the answer that it gets instead.
using Outcome = std::expected<Delivery, std::unique_ptr<net::HttpResponse>>;
std::unexpected<std::unique_ptr<net::HttpResponse>> instead(net::HttpResponse response);

// Io thread.
aio::Task<> deliver(Context& context, net::HttpReply& reply, Outcome outcome);

// Waits until the run is terminal or paused, its client has gone, or the time is over. `run` is the row as it was read.
aio::Task<> await_settled(Context& context, net::HttpReply& reply, const store::Run& run, std::int64_t until_steady_ms);

}  // namespace api::agentos
