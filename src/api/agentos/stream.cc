#include "api/agentos/stream.h"

#include <algorithm>
#include <array>

#include "api/agentos/meta_events.h"
#include "base/limits.h"

namespace api::agentos {

namespace limits = base::limits;

namespace {

// What of the log a stream owes its client, decided once when it opens.
struct Course {
  std::string head;                      // meta events before the first run event
  std::uint64_t cursor = 0;
  std::optional<std::uint64_t> join_at;  // `subscribed` comes before this event
  bool settled = false;                  // terminal or paused: ends where the log ends
};

Course plan(const store::Run& run, const StreamRequest& request) {
  Course course;
  course.settled = run::is_terminal(run.status) || run.status == run::Status::paused;
  const auto given = request.last_event_index;
  const auto wanted = given && *given >= 0 ? static_cast<std::uint64_t>(*given) + 1 : 0;
  const auto count = run.event_count;
  course.cursor = std::clamp(wanted, std::min(run.first_kept, count), std::max(count, run.first_kept));
  if (request.opening == Opening::events_only) return course;
  const auto gap_of_retention = wanted < run.first_kept ? gap_event(run.run_id, wanted, run.first_kept - 1, Gap::retention) : "";
  if (course.settled) {
    course.head = replay_event(run.run_id, run::name(run.status), count - course.cursor, count, given.value_or(-1)) + gap_of_retention;
    return course;
  }
  course.join_at = count;
  if (const auto missed = count - course.cursor) course.head = catch_up_event(run.run_id, missed, count);
  course.head += gap_of_retention;
  if (wanted > count) course.head += gap_event(run.run_id, count, wanted - 1, Gap::index_ahead);
  return course;
}

// One gathered write: views into shared frames, and what keeps them alive.
struct Gathered {
  std::vector<std::string_view> parts;
  std::vector<std::shared_ptr<const Frames>> owners;
  std::size_t bytes = 0;
  bool at_end = false;  // the last event gathered ends a stream
};

std::string_view last_line(const engine::Block& block) {
  std::string_view lines = *block.slice.lines;
  lines.remove_suffix(1);
  const auto at = lines.rfind('\n');
  return at == std::string_view::npos ? lines : lines.substr(at + 1);
}

// Takes the block's frames from `cursor` up to `stop` while they fit into one write; moves the cursor.
void gather(Gathered& write, const Encoder& encoder, const engine::Block& block, Detail detail, std::uint64_t& cursor, std::uint64_t stop) {
  auto frames = encoder.frames(block, detail);
  const auto first = block.slice.first;
  const auto from = cursor - first;
  const auto end = std::min(block.slice.end(), stop) - first;
  // The last frame that still fits; at least one, however large.
  const auto room = frames->starts[from] + (limits::kStreamWriteBytes - std::min(write.bytes, limits::kStreamWriteBytes - 1));
  const auto past = std::upper_bound(frames->starts.begin() + static_cast<std::ptrdiff_t>(from) + 1,
                                     frames->starts.begin() + static_cast<std::ptrdiff_t>(end) + 1, room);
  const auto to = std::max<std::uint64_t>(from + 1, static_cast<std::uint64_t>(past - frames->starts.begin()) - 1);
  const auto view = std::string_view(frames->bytes).substr(frames->starts[from], frames->starts[to] - frames->starts[from]);
  cursor = first + to;
  write.at_end = cursor == block.slice.end() && ends_stream(last_line(block));
  if (view.empty()) return;
  write.parts.push_back(view);
  write.bytes += view.size();
  write.owners.push_back(std::move(frames));
}

// A stream's state between writes; the coroutine below stays small, because ten thousand of them may rest.
struct Stream {
  Stream(Context& c, net::HttpReply& r, const store::Run& run, const StreamRequest& request)
      : context(c), reply(r), encoder(run), reader(c.deps.logs, run.number), detail(request.detail) {}
  Context& context;
  net::HttpReply& reply;
  Encoder encoder;
  engine::LiveLogs::Reader reader;
  Detail detail;
  std::int64_t last_write_ms = 0;
  bool at_end = false;
};

aio::Task<bool> send(Stream& stream, std::string_view text) {
  const std::array parts{text};
  stream.last_write_ms = stream.context.deps.time.steady_ms();
  co_return co_await stream.reply.write(parts);
}

// Sends what is committed from `cursor` on, up to `stop`. False: the client is gone.
aio::Task<bool> send_available(Stream& stream, std::uint64_t& cursor, std::uint64_t stop) {
  while (cursor < stop) {
    auto block = co_await stream.reader.read(cursor);
    if (!block) co_return true;
    cursor = std::max(cursor, block->slice.first);
    Gathered write;
    for (; block && cursor < stop && write.bytes < limits::kStreamWriteBytes; block = stream.reader.recent(cursor))
      gather(write, stream.encoder, *block, stream.detail, cursor, stop);
    stream.at_end = write.at_end;
    if (write.parts.empty()) continue;
    stream.last_write_ms = stream.context.deps.time.steady_ms();
    if (!co_await stream.reply.write(write.parts)) co_return false;
    if (stream.context.stopping) co_return false;
  }
  co_return true;
}

// Follows the run to its end. True: the end was sent.
aio::Task<bool> follow(Stream& stream, Course course, Opening opening, std::string run_id) {
  auto cursor = course.cursor;
  if (course.join_at) {
    if (!co_await send_available(stream, cursor, *course.join_at)) co_return false;
    if (!co_await send(stream, subscribed_event(run_id, *course.join_at))) co_return false;
  }
  for (;;) {
    if (!co_await send_available(stream, cursor, UINT64_MAX)) co_return false;
    if (stream.at_end || course.settled) co_return true;
    co_await stream.reader.wait(cursor);
    if (stream.reply.gone() || stream.context.stopping) co_return false;
    if (stream.context.deps.time.steady_ms() - stream.last_write_ms >= limits::kSseKeepaliveMs)
      if (!co_await send(stream, opening == Opening::resume ? ": heartbeat\n\n" : ": keepalive\n\n")) co_return false;
  }
}

// Wakes the stream when its client leaves, for as long as the stream is there.
struct Watch {
  Watch(net::HttpReply& r, engine::LiveLogs::Reader& reader) : reply(r) { reply.on_gone([&reader] { reader.wake(); }); }
  ~Watch() { reply.on_gone([] {}); }
  net::HttpReply& reply;
};

}  // namespace

aio::Task<> stream_run(Context& context, net::HttpReply& reply, store::Run run, StreamRequest request) {
  auto course = plan(run, request);
  std::vector<net::HttpHeader> headers{{"cache-control", "no-cache, no-transform"},
                                       {"x-accel-buffering", "no"},
                                       {"x-outlast-first-event-index", std::to_string(run.first_kept)}};
  const auto run_id = run.run_id;
  bool ended = false;
  {
    Stream stream(context, reply, run, request);
    const Watch watch(reply, stream.reader);
    const bool begun = co_await reply.begin(200, "text/event-stream; charset=utf-8", std::move(headers));
    run = {};
    if (begun) {
      const auto head = "retry: 2000\n\n" + std::exchange(course.head, {});
      if (co_await send(stream, head)) ended = co_await follow(stream, std::move(course), request.opening, run_id);
    }
  }
  if (ended) co_await reply.finish();
  if (!ended && request.cancel_when_gone && !context.stopping) co_await context.executor.cancel(run_id);
}

}  // namespace api::agentos
