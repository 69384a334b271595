#include "api/agentos/run_routes.h"

#include "api/agentos/continue_route.h"
#include "api/agentos/delivery.h"
#include "api/agentos/find_run.h"
#include "api/agentos/launch_form.h"
#include "api/agentos/run_view.h"
#include "api/fields.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"

namespace api::agentos {

namespace limits = base::limits;

namespace {

constexpr int kRetryAfterS = 5;  // some places will have become free

std::optional<net::HttpResponse> refusal_of(const store::Launched& launched) {
  if (launched.known == store::Known::fresh || launched.known == store::Known::retry) return std::nullopt;
  if (launched.known == store::Known::no_room) {
    auto full = problem(429, "too many runs are waiting for a place; nothing was started, try again later");
    full.headers.push_back({"retry-after", std::to_string(kRetryAfterS)});
    return full;
  }
  if (!launched.by_key) return problem(409, "run_id already exists");
  if (launched.known == store::Known::other_component)
    return problem(
        409, "Idempotency-Key was already used by a different component; reuse a key only to retry the identical submission");
  return problem(409, "Idempotency-Key was already used with a different request body");
}

// `request` is used up: what is left of it would rest with the stream.
aio::Task<Outcome> launch_run(Context& context, Request& request) {
  const auto* agent = find_agent(context, request.params[0]);
  if (!agent) co_return instead(problem(404, "Agent not found"));
  auto form = read_launch_form(request, *agent, context.work_directory, context.deps.random);
  if (!form) co_return instead(std::move(form.error()));
  request = {};
  auto launched = co_await context.executor.launch(std::move(form->launch));
  if (auto refused = refusal_of(launched)) co_return instead(std::move(*refused));
  co_return Delivery{.run = std::make_unique<store::Run>(std::move(launched.run)),
                     .stream = form->stream,
                     .background = form->background,
                     .fresh = launched.known == store::Known::fresh,
                     .after = std::nullopt,
                     .detail = form->stream_events ? Detail::all : Detail::content_only};
}

aio::Task<> create_run(Context& context, Request request, net::HttpReply& reply) {
  auto outcome = co_await launch_run(context, request);
  co_await deliver(context, reply, std::move(outcome));
}

aio::Task<> continue_run(Context& context, Request request, net::HttpReply& reply) {
  auto outcome = co_await continue_leg(context, request);
  co_await deliver(context, reply, std::move(outcome));
}

aio::Task<> get_run(Context& context, Request request, net::HttpReply& reply) {
  if (!has_runs(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  const auto session = query.required("session_id");
  const auto wait_s = std::min(query.at_least("wait", 0, 0), limits::kWaitSecondsMax);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  auto run = co_await find_run(context, request.params[1], request.params[0], session);
  if (run && wait_s > 0 && !settled(*run)) {
    co_await await_settled(context, reply, *run, context.deps.time.steady_ms() + wait_s * 1000);
    run = co_await find_run(context, request.params[1], request.params[0], session);
  }
  if (!run) co_return co_await reply.send(problem(404, "Run not found"));
  const auto last = static_cast<std::int64_t>(run->event_count) - 1;
  const auto view = co_await load_view(context, std::move(*run), Events::keep);
  auto response = json_response(200, base::to_text(run_output(view)));
  response.headers.push_back({"x-outlast-last-event-index", std::to_string(last)});
  co_await reply.send(std::move(response));
}

aio::Task<> cancel_run(Context& context, Request request, net::HttpReply& reply) {
  if (!has_runs(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  const bool strict = query.boolean("strict", false);
  const auto session = query.text("session_id");
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto& run_id = request.params[1];
  const auto known = co_await context.deps.store.find_run(run_id);
  const bool foreign = known && !co_await find_run(context, run_id, request.params[0], session);
  // Another component's or session's run is as good as unknown, and must not be cancelled through this door.
  if (foreign || (!known && (strict || !base::valid_run_id(run_id)))) {
    if (strict || foreign) co_return co_await reply.send(problem(404, "Run not found"));
    co_return co_await reply.send(json_response(200, "{}"));
  }
  const auto answer = co_await context.executor.cancel(run_id);
  if (strict && answer.outcome == store::CancelOutcome::already_finished)
    co_return co_await reply.send(problem(409, "Run already finished: " + std::string(run::name(answer.status))));
  const bool status_known = known || answer.outcome != store::CancelOutcome::intent_stored;
  static constexpr std::string_view kWords[] = {"accepted", "already_finished", "intent_stored"};
  const json::object body{{"run_id", run_id},
                          {"status", status_known ? json::value(run::name(answer.status)) : json::value(nullptr)},
                          {"cancel", kWords[static_cast<std::size_t>(answer.outcome)]}};
  co_await reply.send(json_response(200, base::to_text(body)));
}

struct ResumeForm {
  std::optional<std::int64_t> last;
  std::string session;
  bool strict = false, content_only = false;
};

// The index of a form wins over the one of a query, which wins over the header (EventSource's own).
std::expected<ResumeForm, net::HttpResponse> read_resume_form(const Request& request) {
  const auto form = net::parse_form(request.http.header("content-type").value_or(""), request.http.body);
  if (!form) return std::unexpected(problem(400, form.error().message));
  FieldErrors errors;
  FieldReader body(*form, "body", errors), query(request.target.query, "query", errors);
  ResumeForm resume;
  resume.last = body.integer("last_event_index");
  for (const auto name : {"last_event_index", "last_event_id"})
    if (!resume.last) resume.last = query.integer(name);
  if (const auto header = request.http.header("last-event-id"); !resume.last && header) resume.last = parse_lenient_int(*header);
  resume.session = body.text("session_id").empty() ? query.text("session_id") : body.text("session_id");
  resume.strict = query.boolean("strict", false);
  resume.content_only = !body.boolean("stream_events", query.boolean("stream_events", true));
  if (!errors.empty()) return std::unexpected(errors.response());
  return resume;
}

aio::Task<Outcome> find_stream(Context& context, Request& request) {
  if (!has_runs(context, request.params[0])) co_return instead(problem(404, "Agent not found"));
  const auto form = read_resume_form(request);
  if (!form) co_return instead(form.error());
  auto run = co_await find_run(context, request.params[1], request.params[0], form->session);
  if (!run) co_return instead(form->strict ? problem(404, "Run not found") : unknown_run(request.params[1]));
  const bool nothing_missing = form->last && *form->last >= static_cast<std::int64_t>(run->event_count) - 1;
  // An EventSource comes back after every end: 204 tells it to stop.
  if (request.http.method == "GET" && settled(*run) && nothing_missing)
    co_return instead({.status = 204, .content_type = "", .body = ""});
  request = {};
  co_return Delivery{.run = std::make_unique<store::Run>(std::move(*run)),
                     .background = true,
                     .fresh = false,
                     .opening = Opening::resume,
                     .after = form->last,
                     .detail = form->content_only ? Detail::content_only : Detail::all};
}

aio::Task<> resume_run(Context& context, Request request, net::HttpReply& reply) {
  auto outcome = co_await find_stream(context, request);
  co_await deliver(context, reply, std::move(outcome));
}

}  // namespace

void add_run_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"POST", "/agents/{}/runs", create_run},
                               {"GET", "/agents/{}/runs/{}", get_run},
                               {"POST", "/agents/{}/runs/{}/cancel", cancel_run},
                               {"POST", "/agents/{}/runs/{}/continue", continue_run},
                               {"POST", "/agents/{}/runs/{}/resume", resume_run},
                               {"GET", "/agents/{}/runs/{}/resume", resume_run}});
}

}  // namespace api::agentos
