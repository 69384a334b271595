#include <algorithm>

#include "api/apps/envelope.h"
#include "api/apps/find_session.h"
#include "api/apps/history.h"
#include "api/apps/place.h"
#include "api/apps/routes.h"
#include "api/apps/stream.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/limits.h"

namespace api::apps {

namespace json = boost::json;
namespace limits = base::limits;

namespace {

struct Window {
  std::uint64_t from = 0;
  std::int64_t limit = limits::kEventsPageUsual;
};

// A browser that comes back sends the number it has seen beside the address that it began with: the header is the newer one.
std::expected<Window, net::HttpResponse> read_window(const Request& request) {
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  Window window;
  window.from = static_cast<std::uint64_t>(query.at_least("from", 0, 0));
  window.limit = std::min(query.at_least("limit", 1, limits::kEventsPageUsual), limits::kPageLimitMax);
  if (!errors.empty()) return std::unexpected(errors.response());
  if (const auto header = request.http.header("last-event-id"))
    if (const auto last = parse_lenient_int(*header); last && *last >= 0) window.from = static_cast<std::uint64_t>(*last) + 1;
  return window;
}

// A page under way: its events as JSON text, and the number behind the last of them.
struct Page {
  std::string events;
  std::int64_t room = 0;
  std::uint64_t next = 0;
  bool full() const { return room <= 0 || events.size() >= limits::kEventsPageBytesMax; }
};

void take_lines(Page& page, const Envelope& envelope, const store::Slice& slice) {
  std::string_view rest = *slice.lines;
  for (auto index = slice.first; index < slice.end() && !page.full(); ++index) {
    const auto length = rest.find('\n');
    if (envelope.first() + index >= page.next) {
      if (!page.events.empty()) page.events += ',';
      envelope.append_json(page.events, index, rest.substr(0, length));
      page.next = envelope.first() + index + 1;
      --page.room;
    }
    rest.remove_prefix(length + 1);
  }
}

// Fills the page from where it is up to `end`, the number behind the last event of that turn.
aio::Task<> take_turn(Context& context, Page& page, const store::Run& turn, std::uint64_t first, std::uint64_t end) {
  const Envelope envelope(app_id_of(context), turn, first);
  while (page.next < end && !page.full()) {
    const auto slice = co_await context.deps.store.read(turn.number, page.next - first);
    if (!slice.count) co_return;
    take_lines(page, envelope, slice);
  }
}

aio::Task<> send_page(Context& context, const store::Session& session, Window window, net::HttpReply& reply) {
  const auto turns = co_await context.deps.store.turns(session.number);
  const auto head = next_seq(turns);
  Page page{.events = {}, .room = window.limit, .next = std::min(window.from, head)};
  while (page.next < head && !page.full()) {
    const auto place = place_of(turns, page.next);
    if (!place || place->seq >= head) break;
    const auto& turn = turns[place->turn];
    const auto run = co_await context.deps.store.find_run(turn.run_id);
    page.next = place->seq;
    const auto before = page.next;
    if (run) co_await take_turn(context, page, *run, place->first, place->first + turn.event_count);
    if (page.next == before) page.next = place->first + turn.event_count;  // removed, or given up, meanwhile
  }
  auto text = base::to_text(json::object{{"session_id", session.session_id}, {"next", page.next}, {"seq", head}});
  text.pop_back();
  co_await reply.send(json_response(200, text + ",\"events\":[" + page.events + "]}"));
}

aio::Task<> get_events(Context& context, Request request, net::HttpReply& reply) {
  auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(std::move(session.error()));
  const auto window = read_window(request);
  if (!window) co_return co_await reply.send(window.error());
  const bool streams = request.http.header("accept").value_or("").find("text/event-stream") != std::string_view::npos;
  request = {};
  if (streams) co_return co_await stream_session(context, reply, std::move(*session), window->from);
  co_await send_page(context, *session, *window, reply);
}

aio::Task<> get_history(Context& context, Request request, net::HttpReply& reply) {
  auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(std::move(session.error()));
  const auto window = read_window(request);
  if (!window) co_return co_await reply.send(window.error());
  const auto out = co_await history(context, std::move(*session), window->from, static_cast<std::size_t>(window->limit));
  co_await reply.send(json_response(200, base::to_text(out)));
}

}  // namespace

void add_event_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"GET", "/api/apps/{}/sessions/{}/events", get_events},
                               {"GET", "/api/apps/{}/sessions/{}/history", get_history}});
}

}  // namespace api::apps
