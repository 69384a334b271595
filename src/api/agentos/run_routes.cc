#include "api/agentos/run_routes.h"

#include "api/agentos/launch_form.h"
#include "api/agentos/run_view.h"
#include "api/agentos/stream.h"
#include "api/agentos/meta_events.h"
#include "api/fields.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"

namespace api::agentos {

namespace limits = base::limits;

namespace {

// The run if it belongs to this component (and session, where one is given).
aio::Task<std::optional<store::Run>> find(Context& context, std::string run_id, std::string component, std::string session) {
  auto found = co_await context.deps.store.find_run(std::move(run_id));
  if (!found || found->component_id != component || (!session.empty() && found->session_id != session)) co_return std::nullopt;
  co_return std::move(*found);
}

// Waits until the run is terminal or paused, its client has gone, or the time is over.
aio::Task<> await_settled(Context& context, net::HttpReply& reply, store::Run run, std::int64_t until_steady_ms) {
  engine::LiveLogs::Reader reader(context.deps.logs, run.number);
  auto cursor = run.event_count;
  for (;;) {
    bool ended = false;
    while (auto block = co_await reader.read(cursor)) {
      cursor = block->slice.end();
      std::string_view lines = *block->slice.lines;
      lines.remove_suffix(1);
      const auto last = lines.rfind('\n');
      ended = ends_stream(last == std::string_view::npos ? lines : lines.substr(last + 1));
    }
    if (ended || reply.gone() || context.stopping || context.deps.time.steady_ms() >= until_steady_ms) co_return;
    co_await reader.wait(cursor);
  }
}

bool settled(const store::Run& run) { return run::is_terminal(run.status) || run.status == run::Status::paused; }

std::optional<net::HttpResponse> refusal_of(const store::Launched& launched) {
  if (launched.known == store::Known::fresh || launched.known == store::Known::retry) return std::nullopt;
  if (!launched.by_key) return problem(409, "run_id already exists");
  if (launched.known == store::Known::other_component)
    return problem(409, "Idempotency-Key was already used by a different component; reuse a key only to retry the identical submission");
  return problem(409, "Idempotency-Key was already used with a different request body");
}

net::HttpResponse accepted(const store::Run& run, bool fresh) {
  std::string body = "{\"run_id\":";
  base::append_json_string(body, run.run_id);
  body += ",\"session_id\":";
  base::append_json_string(body, run.session_id);
  body += ",\"status\":\"" + std::string(fresh ? "PENDING" : run::name(run.status)) + "\"}";
  return json_response(202, std::move(body));
}

aio::Task<> answer_whole(Context& context, net::HttpReply& reply, store::Run run) {
  auto row = run;
  if (!settled(row)) {
    struct Unhook {
      net::HttpReply& r;
      ~Unhook() { r.on_gone([] {}); }
    } unhook{reply};
    reply.on_gone([&context] { context.deps.logs.tick(); });
    co_await await_settled(context, reply, row, INT64_MAX);
  }
  if (reply.gone() && !context.stopping) {
    co_await context.executor.cancel(row.run_id);
    co_return;
  }
  auto now = co_await context.deps.store.find_run(row.run_id);
  const auto view = co_await load_view(context, now ? std::move(*now) : row);
  co_await reply.send(json_response(200, base::to_text(run_output(view))));
}

aio::Task<> create_run(Context& context, Request request, net::HttpReply& reply) {
  const auto* agent = find_agent(context, request.params[0]);
  if (!agent) co_return co_await reply.send(problem(404, "Agent not found"));
  auto form = read_launch_form(request, *agent, context.work_directory, context.deps.random);
  if (!form) co_return co_await reply.send(std::move(form.error()));
  request = {};
  const bool stream = form->stream, background = form->background;
  const auto detail = form->stream_events ? Detail::all : Detail::content_only;
  auto launched = co_await context.executor.launch(std::move(form->launch));
  if (auto refused = refusal_of(launched)) co_return co_await reply.send(std::move(*refused));
  const bool fresh = launched.known == store::Known::fresh;
  if (stream) {
    const bool resumes = !fresh && settled(launched.run);
    const StreamRequest how{.opening = resumes ? Opening::resume : Opening::events_only,
                            .last_event_index = std::nullopt,
                            .detail = detail,
                            .cancel_when_gone = !background && fresh};
    co_return co_await stream_run(context, reply, std::move(launched.run), how);
  }
  if (background) co_return co_await reply.send(accepted(launched.run, fresh));
  co_await answer_whole(context, reply, std::move(launched.run));
}

aio::Task<> get_run(Context& context, Request request, net::HttpReply& reply) {
  if (!find_agent(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  const auto session = query.required("session_id");
  const auto wait_s = std::min(query.at_least("wait", 0, 0), limits::kWaitSecondsMax);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  auto run = co_await find(context, request.params[1], request.params[0], session);
  if (run && wait_s > 0 && !settled(*run)) {
    co_await await_settled(context, reply, *run, context.deps.time.steady_ms() + wait_s * 1000);
    run = co_await find(context, request.params[1], request.params[0], session);
  }
  if (!run) co_return co_await reply.send(problem(404, "Run not found"));
  const auto last = static_cast<std::int64_t>(run->event_count) - 1;
  const auto view = co_await load_view(context, std::move(*run));
  auto response = json_response(200, base::to_text(run_output(view)));
  response.headers.push_back({"x-outlast-last-event-index", std::to_string(last)});
  co_await reply.send(std::move(response));
}

aio::Task<> list_runs_of_session(Context& context, Request request, net::HttpReply& reply) {
  if (!find_agent(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  store::RunFilter filter;
  filter.component_id = request.params[0];
  filter.session_id = query.required("session_id");
  filter.limit = limits::kPageLimitMax;
  filter.ascending = true;
  const auto status = query.text("status");
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  if (!co_await context.deps.store.find_session(filter.session_id)) co_return co_await reply.send(problem(404, "Session not found"));
  json::array listed;
  filter.status = run::parse_status(status);
  if (status.empty() || filter.status) {  // an exact match: another word matches no run
    auto page = co_await context.deps.store.list_runs(filter);
    for (auto& run : page.items) {
      const auto view = co_await load_view(context, std::move(run));
      listed.push_back(run_schema(view));
    }
  }
  co_await reply.send(json_response(200, base::to_text(listed)));
}

aio::Task<> cancel_run(Context& context, Request request, net::HttpReply& reply) {
  if (!find_agent(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  const bool strict = query.boolean("strict", false);
  const auto session = query.text("session_id");
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto& run_id = request.params[1];
  const auto known = co_await context.deps.store.find_run(run_id);
  const bool foreign = known && (known->component_id != request.params[0] || (!session.empty() && known->session_id != session));
  // Another component's or session's run is as good as unknown, and must not be cancelled through this door.
  if (foreign || (!known && (strict || !base::valid_run_id(run_id)))) {
    if (strict || foreign) co_return co_await reply.send(problem(404, "Run not found"));
    co_return co_await reply.send(json_response(200, "{}"));
  }
  const auto answer = co_await context.executor.cancel(run_id);
  if (strict && answer.outcome == store::CancelOutcome::already_finished)
    co_return co_await reply.send(problem(409, "Run already finished: " + std::string(run::name(answer.status))));
  static constexpr std::string_view kWords[] = {"accepted", "already_finished", "intent_stored"};
  std::string body = "{\"run_id\":";
  base::append_json_string(body, run_id);
  body += ",\"status\":\"" + std::string(run::name(answer.status)) + "\",\"cancel\":\"" +
          std::string(kWords[static_cast<std::size_t>(answer.outcome)]) + "\"}";
  co_await reply.send(json_response(200, std::move(body)));
}

aio::Task<> send_unknown_run(net::HttpReply& reply, std::string run_id) {
  const bool begun = co_await reply.begin(200, "text/event-stream; charset=utf-8", {{"cache-control", "no-cache, no-transform"}});
  if (!begun) co_return;
  const auto event = unknown_run_event(run_id);
  const std::string_view parts[] = {event};
  if (co_await reply.write(parts)) co_await reply.finish();
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
  resume.content_only = !body.boolean("stream_events", true);
  if (!errors.empty()) return std::unexpected(errors.response());
  return resume;
}

aio::Task<> resume_run(Context& context, Request request, net::HttpReply& reply) {
  if (!find_agent(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  const auto form = read_resume_form(request);
  if (!form) co_return co_await reply.send(form.error());
  auto run = co_await find(context, request.params[1], request.params[0], form->session);
  if (!run && form->strict) co_return co_await reply.send(problem(404, "Run not found"));
  if (!run) co_return co_await send_unknown_run(reply, request.params[1]);
  const bool nothing_missing = form->last && *form->last + 1 >= static_cast<std::int64_t>(run->event_count);
  // An EventSource comes back after every end: 204 tells it to stop.
  if (request.http.method == "GET" && settled(*run) && nothing_missing)
    co_return co_await reply.send({.status = 204, .content_type = "", .body = ""});
  request = {};
  const StreamRequest how{.opening = Opening::resume,
                          .last_event_index = form->last,
                          .detail = form->content_only ? Detail::content_only : Detail::all};
  co_await stream_run(context, reply, std::move(*run), how);
}

}  // namespace

void add_run_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"POST", "/agents/{}/runs", create_run},
                               {"GET", "/agents/{}/runs", list_runs_of_session},
                               {"GET", "/agents/{}/runs/{}", get_run},
                               {"POST", "/agents/{}/runs/{}/cancel", cancel_run},
                               {"POST", "/agents/{}/runs/{}/resume", resume_run},
                               {"GET", "/agents/{}/runs/{}/resume", resume_run}});
}

}  // namespace api::agentos
