#pragma once
// The live stream of one run to one client: a cursor, one write in flight, no queue (ARCHITECTURE.md "Readers pull").
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/agentos/course.h"
#include "api/agentos/encoder.h"
#include "api/context.h"
#include "net/http_server.h"

namespace api::agentos {

struct StreamRequest {
  Opening opening = Opening::events_only;
  std::optional<std::int64_t> last_event_index;  // the client's, as given
  Detail detail = Detail::all;
  bool cancel_when_gone = false;  // a foreground stream: its client's leaving cancels the run
};

// Sends the run's events from the cursor on, live, until its end, then finishes the response. Io thread; `reply` and
// `context` outlive the task. The row is given up before the stream rests.
aio::Task<> stream_run(Context& context, net::HttpReply& reply, std::unique_ptr<store::Run> run, StreamRequest request);

// The stream that says that a run is not known: one event.
net::HttpResponse unknown_run(std::string_view run_id);

}  // namespace api::agentos
