#include "api/apps/bodies.h"
#include "api/apps/find_session.h"
#include "api/apps/place.h"
#include "api/apps/routes.h"
#include "api/problem.h"
#include "app/spec_of.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/session_end.h"

namespace api::apps {

namespace json = boost::json;
namespace limits = base::limits;

namespace {

constexpr int kRetryAfterS = 5;
constexpr std::size_t kTitleBytes = 200;  // of a session that is named after its first message

json::array agents_of(const Context& context) {
  json::array agents;
  for (const auto& agent : context.app.agents)
    agents.push_back(json::object{{"id", agent.id}, {"name", agent.name}, {"description", agent.description}});
  return agents;
}

aio::Task<> list_apps(Context& context, Request, net::HttpReply& reply) {
  const json::object app{{"app_id", app_id_of(context)},
                         {"name", context.options.name},
                         {"version", context.app.version},
                         {"agents", agents_of(context)}};
  const json::array apps{app};
  co_await reply.send(json_response(200, base::to_text(apps)));
}

// The one that is named, else the app's entry, else the first.
const app::Agent* choose_agent(const Context& context, const std::string& named) {
  if (!named.empty()) return find_agent(context, named);
  const auto* entry = find_agent(context, context.app.entry_agent);
  return entry || context.app.agents.empty() ? entry : &context.app.agents.front();
}

net::HttpResponse no_agent(const Context& context, const std::string& id) {
  std::string known;
  for (const auto& agent : context.app.agents) known += (known.empty() ? "" : ", ") + agent.id;
  FieldErrors errors;
  errors.other("body", "agent", id, "value_error", "Value error, this app has no such agent; it has: " + known);
  return errors.response();
}

net::HttpResponse session_answer(int status, const std::string& id, std::uint64_t seq) {
  return json_response(status, base::to_text(json::object{{"session_id", id}, {"seq", seq}}));
}

// Asked for again, the session is told as it is; another's id is taken.
aio::Task<net::HttpResponse> known_session(Context& context, store::Session wanted) {
  const auto session = co_await context.deps.store.find_session(wanted.session_id);
  if (!session || session->app_id != wanted.app_id || session->user_id != wanted.user_id ||
      session->component_id != wanted.component_id)
    co_return problem(409, "session_id '" + wanted.session_id + "' is taken; choose another, or leave it out to be given one");
  const auto turns = co_await context.deps.store.turns(session->number);
  co_return session_answer(200, session->session_id, next_seq(turns));
}

aio::Task<> create_session(Context& context, Request request, net::HttpReply& reply) {
  if (auto refused = refuse_app(context, request)) co_return co_await reply.send(std::move(*refused));
  const auto body = read_new_session(request.http.body);
  if (!body) co_return co_await reply.send(body.error());
  const auto* agent = choose_agent(context, body->agent);
  if (!agent) co_return co_await reply.send(no_agent(context, body->agent));
  store::Session session;
  session.session_id = body->session_id.empty() ? base::new_uuid(context.deps.random) : body->session_id;
  session.name = body->name;
  session.component_type = "agent";
  session.component_id = agent->id;
  session.app_id = app_id_of(context);
  session.user_id = body->user_id.empty() ? user_of(request) : body->user_id;
  session.created_ms = context.deps.time.wall_ms();
  if (session.user_id.size() > limits::kNameBytesMax || !base::valid_utf8(session.user_id))
    co_return co_await reply.send(problem(422, "user_id must be at most 1024 bytes of UTF-8"));
  const auto created = co_await context.deps.store.create_session(session);
  if (created) co_return co_await reply.send(session_answer(201, created->session_id, 0));
  auto known = co_await known_session(context, std::move(session));
  co_await reply.send(std::move(known));
}

aio::Task<> get_session(Context& context, Request request, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  const auto turns = co_await context.deps.store.turns(session->number);
  const auto standing = standing_of(turns);
  const json::object out{{"session_id", session->session_id},
                         {"app_id", session->app_id},
                         {"name", session->name},
                         {"agent", session->component_id},
                         {"user_id", session->user_id},
                         {"status", standing.status},
                         {"turns", standing.begun},
                         {"queued", standing.queued},
                         {"seq", next_seq(turns)},
                         {"created_at", base::iso_utc_ms(session->created_ms)},
                         {"updated_at", base::iso_utc_ms(session->updated_ms)}};
  co_await reply.send(json_response(200, base::to_text(out)));
}

// A message as the session's next turn.
engine::LaunchRequest turn_of(const Context& context, const store::Session& session, const app::Agent& agent, Message message) {
  engine::LaunchRequest turn;
  turn.in_turn = true;
  turn.session_id = session.session_id;
  turn.session_name = std::string(base::utf8_prefix(message.content, kTitleBytes));
  turn.user_id = session.user_id;
  turn.component_id = agent.id;
  turn.component_name = agent.name;
  if (!message.client_message_id.empty())
    turn.launch_key = "message\x1f" + session.session_id + '\x1f' + message.client_message_id;
  turn.request_digest = digest_of(message);
  turn.spec = app::spec_of(agent);
  turn.spec.work_directory = context.work_directory;
  turn.spec.input = std::move(message.content);
  return turn;
}

net::HttpResponse too_many() {
  auto full = problem(429, "too many messages wait (" + std::to_string(limits::kSessionTurnsMax) +
                               " of a session, or the server's bound for all); nothing was queued, try again later");
  full.headers.push_back({"retry-after", std::to_string(kRetryAfterS)});
  return full;
}

std::optional<net::HttpResponse> refusal_of(const store::Launched& launched) {
  switch (launched.known) {
    case store::Known::fresh:
    case store::Known::retry: return std::nullopt;
    case store::Known::no_room: return too_many();
    case store::Known::no_session: return problem(404, "the session was deleted");
    case store::Known::other_request:
    case store::Known::other_component: break;
  }
  return problem(409, "client_message_id was used for another message of this session; use a new one");
}

aio::Task<> post_message(Context& context, Request request, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  auto message = read_message(request.http.body);
  if (!message) co_return co_await reply.send(std::move(message.error()));
  const auto* agent = find_agent(context, session->component_id);
  if (!agent)
    co_return co_await reply.send(problem(409, "agent '" + session->component_id + "' of this session is not served any more"));
  request = {};
  const auto launched = co_await context.executor.launch(turn_of(context, *session, *agent, std::move(*message)));
  if (auto refused = refusal_of(launched)) co_return co_await reply.send(std::move(*refused));
  const auto turns = co_await context.deps.store.turns(session->number);
  const auto& run_id = launched.run.run_id;
  const json::object out{{"status", "queued"},
                         {"correlation_id", run_id},
                         {"session_id", session->session_id},
                         {"run_id", run_id},
                         {"seq", begin_of(turns, run_id)}};
  co_await reply.send(json_response(202, base::to_text(out)));
}

aio::Task<> abort(Context& context, Request request, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  const auto until = context.deps.time.steady_ms() + limits::kAbortMs;
  auto aborting = engine::abort_session(context.deps, session->number, until, [&context] { return context.stopping; });
  const auto stopped = co_await std::move(aborting);
  const auto turns = co_await context.deps.store.turns(session->number);
  const json::object out{{"session_id", session->session_id},
                         {"was_active", stopped.was_active},
                         {"aborted", stopped.left == 0},
                         {"task_cancelled", stopped.turn},
                         {"bg_tasks_cleaned", stopped.tasks},
                         {"agents_cleaned", stopped.agents},
                         {"approvals_cancelled", stopped.approvals},
                         {"queue_purged", stopped.queued},
                         {"still_ending", stopped.left},
                         {"seq", next_seq(turns)},
                         {"interrupted", true},
                         {"stopped", {{"turn", stopped.turn}, {"agents", stopped.agents}, {"background", stopped.tasks}}}};
  co_await reply.send(json_response(200, base::to_text(out)));
}

aio::Task<> delete_session(Context& context, Request request, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  const auto until = context.deps.time.steady_ms() + limits::kSessionRemovalMs;
  auto removing = engine::remove_session(context.deps, session->session_id, until, [&context] { return context.stopping; });
  const bool removed = co_await std::move(removing);
  if (removed) context.housekeeping.runs_removed();
  json::object out{{"session_id", session->session_id}, {"deleted", removed}};
  if (!removed) out["hint"] = "What runs in it is being ended; delete it again to remove it.";
  co_await reply.send(json_response(200, base::to_text(out)));
}

}  // namespace

void add_session_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"GET", "/api/apps", list_apps},
                               {"POST", "/api/apps/{}/sessions", create_session},
                               {"GET", "/api/apps/{}/sessions/{}", get_session},
                               {"DELETE", "/api/apps/{}/sessions/{}", delete_session},
                               {"POST", "/api/apps/{}/sessions/{}/messages", post_message},
                               {"POST", "/api/apps/{}/sessions/{}/abort", abort}});
}

}  // namespace api::apps
