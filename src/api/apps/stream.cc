#include "api/apps/stream.h"

#include <algorithm>
#include <array>

#include "api/apps/envelope.h"
#include "api/apps/place.h"
#include "base/limits.h"

namespace api::apps {

namespace limits = base::limits;

namespace {

constexpr std::string_view kRetry = "retry: 2000\n\n";  // how long a browser waits before it comes back
constexpr std::string_view kKeepalive = ": keepalive\n\n";

// The stream between its writes. Whatever it rests on is woken when its client leaves.
struct Stream {
  Stream(Context& c, net::HttpReply& r, store::Session s)
      : context(c), reply(r), session(std::move(s)), watch(c.deps.logs, session.number) {}
  ~Stream() {
    reply.on_gone([] {});
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Context& context;
  net::HttpReply& reply;
  const store::Session session;
  engine::LiveLogs::SessionWatch watch;
  engine::LiveLogs::Reader* reader = nullptr;  // of the turn that is read now
  std::uint64_t next = 0;                      // the number that is owed next
  std::int64_t last_write_ms = 0;

  bool over() const { return reply.gone() || context.stopping; }
};

aio::Task<bool> write(Stream& stream, std::string_view text) {
  const std::array parts{text};
  stream.last_write_ms = stream.context.deps.time.steady_ms();
  const bool sent = co_await stream.reply.write(parts);
  co_return sent && !stream.context.stopping;
}

aio::Task<bool> keep_alive(Stream& stream) {
  if (stream.over()) co_return false;
  if (stream.context.deps.time.steady_ms() - stream.last_write_ms < limits::kSseKeepaliveMs) co_return true;
  co_return co_await write(stream, kKeepalive);
}

struct Sent {
  bool goes_on = true;  // false: the client is gone
  bool ended = false;   // the turn's last event was sent
};

// Sends a block from the event that is owed on, in pieces.
aio::Task<Sent> send_block(Stream& stream, const Envelope& envelope, const engine::Block& block) {
  std::string_view rest = *block.slice.lines;
  std::string piece;
  Sent sent;
  for (auto index = block.slice.first; index < block.slice.end(); ++index) {
    const auto length = rest.find('\n');
    const auto line = rest.substr(0, length);
    rest.remove_prefix(length + 1);
    if (envelope.first() + index < stream.next) continue;
    envelope.append_frame(piece, index, line);
    stream.next = envelope.first() + index + 1;
    sent.ended = ends_turn(line);
    if (piece.size() < limits::kStreamWriteBytes) continue;
    sent.goes_on = co_await write(stream, piece);
    piece.clear();
    if (!sent.goes_on) co_return sent;
  }
  if (!piece.empty()) sent.goes_on = co_await write(stream, piece);
  co_return sent;
}

// At the session's end: until a turn begins there. False: the client is gone.
aio::Task<bool> rest(Stream& stream, std::uint64_t seen) {
  while (stream.watch.begun() == seen) {
    co_await stream.watch.wait(seen);
    const auto before = stream.last_write_ms;
    const bool goes_on = co_await keep_alive(stream);
    if (!goes_on) co_return false;
    if (stream.last_write_ms != before) co_return true;  // now and then: is the session still there?
  }
  co_return true;
}

// The turn that holds what is owed next, or will.
struct Due {
  store::Run turn;
  std::uint64_t first = 0;  // the number of its first event
};
aio::Task<std::optional<Due>> find_due(Stream& stream) {
  auto& store = stream.context.deps.store;
  for (;;) {
    const auto turns = co_await store.turns(stream.session.number);
    stream.next = std::min(stream.next, next_seq(turns));
    const auto place = place_of(turns, stream.next);
    if (!place) co_return std::nullopt;
    auto turn = co_await store.find_run(turns[place->turn].run_id);
    if (!turn) continue;  // removed meanwhile
    stream.next = place->seq;
    co_return Due{std::move(*turn), place->first};
  }
}

// Sends one turn to its end, live. False: the client is gone.
aio::Task<bool> send_turn(Stream& stream, Due due) {
  const auto first = due.first;
  const auto known_end = run::is_terminal(due.turn.status) ? first + due.turn.event_count : 0;
  const Envelope envelope(stream.session.app_id, due.turn, first);
  engine::LiveLogs::Reader reader(stream.context.deps.logs, due.turn.number);
  due.turn = {};  // what is kept while the stream rests is small
  struct Reading {
    Stream& stream;
    ~Reading() { stream.reader = nullptr; }
  } reading{stream};
  stream.reader = &reader;
  for (;;) {
    const auto cursor = stream.next - first;
    const auto block = co_await reader.read(cursor);
    if (block) {
      const auto sent = co_await send_block(stream, envelope, *block);
      if (!sent.goes_on) co_return false;
      if (sent.ended) co_return true;
      continue;
    }
    // Removed, or given up by retention, since it was looked at: there is nothing to wait for.
    stream.next = std::max(stream.next, known_end);
    if (reader.lost() || known_end) co_return true;
    co_await reader.wait(cursor);
    const bool goes_on = co_await keep_alive(stream);
    if (!goes_on) co_return false;
  }
}

// True: the session is no more, and all of it was sent.
aio::Task<bool> follow(Stream& stream) {
  for (;;) {
    const auto seen = stream.watch.begun();
    auto due = co_await find_due(stream);
    bool goes_on = true;
    if (due) {
      goes_on = co_await send_turn(stream, std::move(*due));
    } else {
      const auto session = co_await stream.context.deps.store.find_session(stream.session.session_id);
      if (!session || session->number != stream.session.number) co_return true;
      goes_on = co_await rest(stream, seen);
    }
    if (!goes_on) co_return false;
  }
}

void wake(Stream& stream) {
  if (stream.reader) stream.reader->wake();
  stream.watch.wake();
}

}  // namespace

aio::Task<> stream_session(Context& context, net::HttpReply& reply, store::Session session, std::uint64_t from) {
  bool ended = false;
  {
    Stream stream(context, reply, std::move(session));
    stream.next = from;
    reply.on_gone([&stream] { wake(stream); });
    std::vector<net::HttpHeader> headers{{"cache-control", "no-cache, no-transform"}, {"x-accel-buffering", "no"}};
    bool goes_on = co_await reply.begin(200, "text/event-stream; charset=utf-8", std::move(headers));
    if (goes_on) goes_on = co_await write(stream, kRetry);
    if (goes_on) ended = co_await follow(stream);
  }
  if (ended) co_await reply.finish();
}

}  // namespace api::apps
