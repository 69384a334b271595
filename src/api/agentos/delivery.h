#pragma once
// How the answer to a launch or a decision reaches its client: the four modes of `background` x `stream`.
#include <cstdint>
#include <expected>
#include <optional>

#include "api/agentos/stream.h"
#include "api/context.h"
#include "net/http_server.h"

namespace api::agentos {

struct Delivery {
  store::Run run;
  bool stream = true, background = false;
  bool fresh = true;                // this request made the run (or the leg), no retry of it did
  std::optional<std::int64_t> after;  // the leg begins behind this event; nothing: with the first
  Detail detail = Detail::all;
};

// What a request comes to: a run to deliver, or a refusal.
using Outcome = std::expected<Delivery, net::HttpResponse>;

// Io thread. `delivery` outlives the task and is used up.
aio::Task<> deliver(Context& context, net::HttpReply& reply, Delivery& delivery);

// Waits until the run is terminal or paused, its client has gone, or the time is over. `run` is the row as it was read.
aio::Task<> await_settled(Context& context, net::HttpReply& reply, const store::Run& run, std::int64_t until_steady_ms);

}  // namespace api::agentos
