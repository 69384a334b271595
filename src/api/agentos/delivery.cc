#include "api/agentos/delivery.h"

#include "api/agentos/gone_watch.h"
#include "api/agentos/run_view.h"
#include "api/problem.h"
#include "base/json.h"

namespace api::agentos {

namespace {

constexpr std::int64_t kLookMs = 5'000;  // how often a wait looks around without news

std::string_view last_line(std::string_view lines) {
  lines.remove_suffix(1);
  const auto at = lines.rfind('\n');
  return at == std::string_view::npos ? lines : lines.substr(at + 1);
}

net::HttpResponse accepted(const store::Run& run, bool fresh) {
  std::string body = "{\"run_id\":";
  base::append_json_string(body, run.run_id);
  body += ",\"session_id\":";
  base::append_json_string(body, run.session_id);
  body += ",\"status\":\"" + std::string(fresh ? "PENDING" : run::name(run.status)) + "\"}";
  return json_response(202, std::move(body));
}

// Waits for the end (or the pause) and answers with the run as it is then.
aio::Task<> answer_whole(Context& context, net::HttpReply& reply, store::Run& run, bool cancel_when_gone) {
  if (!settled(run)) co_await await_settled(context, reply, run, INT64_MAX);
  if (reply.gone() && !context.stopping) {
    if (cancel_when_gone) co_await context.executor.cancel(run.run_id);
    co_return;
  }
  auto now = co_await context.deps.store.find_run(run.run_id);
  const auto view = co_await load_view(context, now ? std::move(*now) : std::move(run), Events::keep);
  co_await reply.send(json_response(200, base::to_text(run_output(view))));
}

}  // namespace

aio::Task<> await_settled(Context& context, net::HttpReply& reply, const store::Run& run, std::int64_t until_steady_ms) {
  engine::LiveLogs::Reader reader(context.deps.logs, run.number);
  const GoneWatch watch(reply, reader);
  auto cursor = run.event_count;
  for (;;) {
    bool ended = false;
    while (auto block = co_await reader.read(cursor)) {
      cursor = block->slice.end();
      ended = ends_stream(last_line(*block->slice.lines));
    }
    const auto left = until_steady_ms - context.deps.time.steady_ms();
    if (ended || reader.lost() || reply.gone() || context.stopping || left <= 0) co_return;
    co_await reader.wait(cursor, std::chrono::milliseconds(std::min(left, kLookMs)));
  }
}

std::unexpected<std::unique_ptr<net::HttpResponse>> instead(net::HttpResponse response) {
  return std::unexpected(std::make_unique<net::HttpResponse>(std::move(response)));
}

aio::Task<> deliver(Context& context, net::HttpReply& reply, Outcome outcome) {
  if (!outcome) co_return co_await reply.send(std::move(*outcome.error()));
  auto& delivery = *outcome;
  const bool owns = delivery.fresh && !delivery.background;
  if (delivery.stream) {
    // A retry that finds its run over is shown it as /resume would show it, unless a leg of it was asked for.
    const bool replays = !delivery.fresh && !delivery.after && settled(*delivery.run);
    const StreamRequest how{.opening = replays ? Opening::resume : delivery.opening,
                            .last_event_index = delivery.after,
                            .detail = delivery.detail,
                            .cancel_when_gone = owns};
    co_return co_await stream_run(context, reply, std::move(delivery.run), how);
  }
  if (delivery.background) co_return co_await reply.send(accepted(*delivery.run, delivery.fresh));
  co_await answer_whole(context, reply, *delivery.run, owns);
}

}  // namespace api::agentos
