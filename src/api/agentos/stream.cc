#include "api/agentos/stream.h"

#include <algorithm>
#include <array>

#include "api/agentos/gone_watch.h"
#include "api/agentos/meta_events.h"
#include "base/limits.h"

namespace api::agentos {

namespace limits = base::limits;

namespace {

constexpr std::size_t kFrameBytesUsual = 1 << 10;
constexpr std::string_view kRetry = "retry: 2000\n\n";  // how long a browser waits before it comes back

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
void gather(Gathered& write, const Encoder& encoder, const engine::Block& block, Detail detail, std::uint64_t& cursor,
            std::uint64_t stop) {
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

aio::Task<bool> write(Stream& stream, std::span<const std::string_view> parts) {
  if (parts.empty()) co_return true;
  stream.last_write_ms = stream.context.deps.time.steady_ms();
  co_return co_await stream.reply.write(parts) && !stream.context.stopping;
}

aio::Task<bool> send(Stream& stream, std::string_view text) {
  const std::array parts{text};
  co_return co_await write(stream, parts);
}

// Sends recent blocks, whose frames all readers share. False: the client is gone.
aio::Task<bool> send_recent(Stream& stream, std::shared_ptr<const engine::Block> block, std::uint64_t& cursor, std::uint64_t stop) {
  Gathered gathered;
  for (; block && cursor < stop && gathered.bytes < limits::kStreamWriteBytes; block = stream.reader.recent(cursor))
    gather(gathered, stream.encoder, *block, stream.detail, cursor, stop);
  stream.at_end = gathered.at_end;
  co_return co_await write(stream, gathered.parts);
}

// Sends a block of this reader alone, encoded piece by piece: a piece is still in the processor's cache when the kernel copies it.
aio::Task<bool> send_stored(Stream& stream, const engine::Block& block, std::uint64_t& cursor, std::uint64_t stop) {
  const auto end = std::min(block.slice.end(), stop);
  std::string_view rest = *block.slice.lines;
  cursor = block.slice.first;
  FrameWriter writer(stream.encoder, stream.detail, cursor);
  std::string piece;
  piece.reserve(limits::kStreamWriteBytes + kFrameBytesUsual);
  while (cursor < end) {
    for (piece.clear(); cursor < end && piece.size() < limits::kStreamWriteBytes; ++cursor) {
      const auto length = rest.find('\n');
      writer.write(piece, rest.substr(0, length));
      rest.remove_prefix(length + 1);
    }
    stream.at_end = cursor == block.slice.end() && ends_stream(last_line(block));
    const std::array parts{std::string_view(piece)};
    if (!co_await write(stream, std::span(parts).first(piece.empty() ? 0 : 1))) co_return false;
  }
  co_return true;
}

// Sends what is committed from `cursor` on, up to `stop`. False: the client is gone.
aio::Task<bool> send_available(Stream& stream, std::uint64_t& cursor, std::uint64_t stop) {
  while (cursor < stop) {
    if (auto block = stream.reader.recent(cursor)) {
      if (!co_await send_recent(stream, std::move(block), cursor, stop)) co_return false;
      continue;
    }
    const auto block = co_await stream.reader.read(cursor);
    if (!block) co_return true;
    if (!co_await send_stored(stream, *block, cursor, stop)) co_return false;
  }
  co_return true;
}

// Follows the run to its end. True: the end was sent.
aio::Task<bool> follow(Stream& stream, Course course, std::string run_id) {
  auto cursor = course.cursor;
  const auto comment = course.join_at ? ": heartbeat\n\n" : ": keepalive\n\n";
  if (course.join_at) {
    if (!co_await send_available(stream, cursor, *course.join_at)) co_return false;
    if (!co_await send(stream, subscribed_event(run_id, *course.join_at))) co_return false;
  }
  const auto stop = course.settled ? course.known : UINT64_MAX;
  for (;;) {
    if (!co_await send_available(stream, cursor, stop)) co_return false;
    // Removed under its reader: it must not take the end of what is left for the end of the run.
    if (stream.reader.lost() || (course.settled && cursor < stop)) co_return false;
    // An end that lay in the log when the stream opened is no end where the run goes on: it was a pause.
    if (course.settled || (stream.at_end && cursor > course.known)) co_return true;
    co_await stream.reader.wait(cursor);
    if (stream.reply.gone() || stream.context.stopping) co_return false;
    if (stream.context.deps.time.steady_ms() - stream.last_write_ms >= limits::kSseKeepaliveMs)
      if (!co_await send(stream, comment)) co_return false;
  }
}

constexpr const char* kEventStream = "text/event-stream; charset=utf-8";

std::vector<net::HttpHeader> stream_headers(std::uint64_t first_kept) {
  return {{"cache-control", "no-cache, no-transform"},
          {"x-accel-buffering", "no"},
          {"x-outlast-first-event-index", std::to_string(first_kept)}};
}

}  // namespace

aio::Task<> stream_run(Context& context, net::HttpReply& reply, std::unique_ptr<store::Run> run, StreamRequest request) {
  auto course = plan_course(*run, request.opening, request.last_event_index);
  const auto run_id = run->run_id;
  bool ended = false;
  {
    Stream stream(context, reply, *run, request);
    const GoneWatch watch(reply, stream.reader);
    auto headers = stream_headers(run->first_kept);
    run.reset();
    if (co_await reply.begin(200, kEventStream, std::move(headers))) {
      const auto head = std::string(kRetry) + std::exchange(course.head, {});
      if (co_await send(stream, head)) ended = co_await follow(stream, std::move(course), run_id);
    }
  }
  if (ended) co_await reply.finish();
  if (!ended && request.cancel_when_gone && !context.stopping) co_await context.executor.cancel(run_id);
}

net::HttpResponse unknown_run(std::string_view run_id) {
  return {.status = 200,
          .content_type = kEventStream,
          .body = std::string(kRetry) + unknown_run_event(run_id),
          .headers = stream_headers(0)};
}

}  // namespace api::agentos
