#include "api/agentos/session_routes.h"

#include <algorithm>

#include "api/agentos/session_view.h"
#include "api/fields.h"
#include "api/json_body.h"
#include "api/paging.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "engine/session_end.h"

namespace api::agentos {

namespace limits = base::limits;

namespace {

constexpr std::string_view kTypes[] = {"agent", "team", "workflow"};

bool is_type(std::string_view type) { return std::ranges::find(kTypes, type) != std::end(kTypes); }

std::string read_type(const net::Form& query, FieldErrors& errors) {
  const auto type = std::string(net::value(query, "type").value_or(""));
  if (!type.empty() && !is_type(type)) errors.bad_choice("query", "type", type, {std::begin(kTypes), std::end(kTypes)});
  return type;
}

std::string capital(std::string_view type) {
  std::string word(type);
  if (!word.empty()) word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

net::HttpResponse no_session(const std::string& id) { return problem(404, "Session with id '" + id + "' not found"); }

// The session if it is there and of the type asked for.
aio::Task<std::optional<store::Session>> find(Context& context, std::string id, std::string type) {
  auto found = co_await context.deps.store.find_session(std::move(id));
  if (!found || (!type.empty() && found->component_type != type)) co_return std::nullopt;
  co_return std::move(*found);
}

aio::Task<> list_sessions(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  store::SessionFilter filter;
  filter.component_type = read_type(request.target.query, errors);
  filter.component_id = query.text("component_id");
  filter.user_id = query.text("user_id");
  filter.name_contains = query.text("session_name");
  const auto paging = read_paging(query, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  filter.limit = paging.limit;
  filter.offset = paging.offset();
  filter.ascending = paging.ascending;
  if (paging.sort_by == "updated_at") filter.sort = store::SessionFilter::Sort::updated;
  if (paging.sort_by == "session_name") filter.sort = store::SessionFilter::Sort::name;
  const auto page = co_await context.deps.store.list_sessions(filter);
  json::array data;
  for (const auto& session : page.items) data.push_back(without_nulls(session_summary(session)));
  const json::object body{{"data", std::move(data)}, {"meta", page_meta(paging, page.total)}};
  co_await reply.send(json_response(200, base::to_text(body)));
}

// The session that a body of POST /sessions describes.
store::Session read_session(const json::object& body, const std::string& type, FieldErrors& errors) {
  BodyReader fields(body, errors);
  store::Session session;
  session.session_id = fields.text("session_id").value_or("");
  session.name = fields.text("session_name").value_or("");
  session.state = fields.object("session_state").value_or("");
  session.metadata = fields.object("metadata").value_or("");
  session.user_id = fields.text("user_id").value_or("");
  session.component_type = type;
  session.component_id = fields.text(type + "_id").value_or("");
  if (!session.session_id.empty() && !base::valid_session_id(session.session_id))
    errors.other("body", "session_id", session.session_id, "string_pattern_mismatch",
                 "String should be 1-256 bytes of UTF-8 without control characters");
  return session;
}

aio::Task<> create_session(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  auto type = read_type(request.target.query, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto body = parse_body(request.http.body);
  if (!body) co_return co_await reply.send(body.error());
  if (type.empty()) type = "agent";
  auto session = read_session(*body, type, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  if (session.session_id.empty()) session.session_id = base::new_uuid(context.deps.random);
  session.created_ms = context.deps.time.wall_ms();
  const auto id = session.session_id;
  auto created = co_await context.deps.store.create_session(std::move(session));
  if (!created)
    co_return co_await reply.send(
        problem(409, "Session with id '" + id + "' already exists. Use PATCH /sessions/" + id + " to update it."));
  auto detail = co_await session_detail(context, std::move(*created));
  co_await reply.send(json_response(201, base::to_text(without_nulls(std::move(detail)))));
}

aio::Task<> get_session(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  const auto type = read_type(request.target.query, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  auto session = co_await find(context, request.params[0], type);
  if (!session) {
    const auto word = type.empty() ? "Session" : capital(type) + " Session";
    co_return co_await reply.send(problem(404, word + " with id '" + request.params[0] + "' not found"));
  }
  auto detail = co_await session_detail(context, std::move(*session));
  co_await reply.send(json_response(200, base::to_text(without_nulls(std::move(detail)))));
}

json::object schema_in(const store::Session& session, const RunView& view) {
  auto schema = run_schema(view);
  if (auto state = session_state(session); !state.is_null()) schema["session_state"] = std::move(state);
  return schema;
}

aio::Task<> get_session_runs(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  const auto type = read_type(request.target.query, errors);
  const auto after_s = query.integer("created_after"), before_s = query.integer("created_before");
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto session = co_await find(context, request.params[0], type);
  if (!session) co_return co_await reply.send(problem(404, "Session with ID " + request.params[0] + " not found"));
  store::RunFilter filter;
  filter.session_id = session->session_id;
  const auto wanted = [&](const store::Run& run) {
    const auto created_s = run.created_ms / 1000;
    return (!after_s || created_s >= *after_s) && (!before_s || created_s <= *before_s);
  };
  json::array runs;
  const auto take = [&](const RunView& view) { runs.push_back(without_nulls(schema_in(*session, view))); };
  co_await each_run(context, std::move(filter), wanted, take);
  co_await reply.send(json_response(200, base::to_text(runs)));
}

aio::Task<> get_session_run(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  const auto type = read_type(request.target.query, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto session = co_await find(context, request.params[0], type);
  auto run = co_await context.deps.store.find_run(request.params[1]);
  if (!session || !run || run->session_id != request.params[0])
    co_return co_await reply.send(
        problem(404, "Run with ID " + request.params[1] + " not found in session " + request.params[0]));
  const auto view = co_await load_view(context, std::move(*run), Events::leave_out);
  co_await reply.send(json_response(200, base::to_text(schema_in(*session, view))));
}

aio::Task<> change(Context& context, const Request& request, store::SessionChange wanted, net::HttpReply& reply) {
  FieldErrors errors;
  const auto type = read_type(request.target.query, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto& id = request.params[0];
  if (!co_await find(context, id, type)) co_return co_await reply.send(no_session(id));
  auto changed = co_await context.deps.store.change_session(id, std::move(wanted));
  if (!changed) co_return co_await reply.send(no_session(id));
  const auto detail = co_await session_detail(context, std::move(*changed));
  co_await reply.send(json_response(200, base::to_text(detail)));
}

aio::Task<> rename_session(Context& context, Request request, net::HttpReply& reply) {
  const auto body = parse_body(request.http.body);
  if (!body) co_return co_await reply.send(body.error());
  FieldErrors errors;
  BodyReader fields(*body, errors);
  fields.require("session_name");
  store::SessionChange wanted;
  wanted.name = fields.text("session_name");
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  co_await change(context, request, std::move(wanted), reply);
}

aio::Task<> patch_session(Context& context, Request request, net::HttpReply& reply) {
  const auto body = parse_body(request.http.body);
  if (!body) co_return co_await reply.send(body.error());
  FieldErrors errors;
  BodyReader fields(*body, errors);
  store::SessionChange wanted;
  wanted.name = fields.text("session_name");
  wanted.state = fields.object("session_state");
  wanted.metadata = fields.object("metadata");
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  co_await change(context, request, std::move(wanted), reply);
}

// A run that does not end in time is cancelled all the same; its session goes with a later DELETE.
aio::Task<> remove(Context& context, net::HttpReply& reply, std::string id) {
  const auto until = context.deps.time.steady_ms() + limits::kSessionRemovalMs;
  auto removing = engine::remove_session(context.deps, std::move(id), until, [&] { return reply.gone() || context.stopping; });
  const bool removed = co_await std::move(removing);
  if (removed) context.housekeeping.runs_removed();
}

aio::Task<> delete_session(Context& context, Request request, net::HttpReply& reply) {
  co_await remove(context, reply, request.params[0]);
  co_await reply.send({.status = 204, .content_type = "", .body = ""});
}

struct Removal {
  std::string id, type;
};

// The pairs of the two lists; what is wrong with them is in `errors`.
std::vector<Removal> read_removals(const json::array& ids, const json::array& types, FieldErrors& errors) {
  std::vector<Removal> removals;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto* type = types[i].if_string();
    if (!ids[i].is_string()) errors.bad_type("session_ids", ids[i], "string_type", "Input should be a valid string");
    if (!type || !is_type(*type))
      errors.bad_choice("body", "session_types", type ? std::string_view(*type) : base::to_text(types[i]),
                        {std::begin(kTypes), std::end(kTypes)});
    if (errors.empty()) removals.push_back({std::string(ids[i].get_string()), std::string(*type)});
  }
  return removals;
}

aio::Task<> delete_sessions(Context& context, Request request, net::HttpReply& reply) {
  const auto body = parse_body(request.http.body);
  if (!body) co_return co_await reply.send(body.error());
  FieldErrors errors;
  BodyReader fields(*body, errors);
  fields.require("session_ids");
  fields.require("session_types");
  const auto *ids = fields.array("session_ids"), *types = fields.array("session_types");
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  if (ids->size() != types->size())
    co_return co_await reply.send(problem(400, "Session IDs and session types must have the same length"));
  const auto removals = read_removals(*ids, *types, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  for (const auto& removal : removals)
    if (co_await find(context, removal.id, removal.type)) co_await remove(context, reply, removal.id);
  co_await reply.send({.status = 204, .content_type = "", .body = ""});
}

}  // namespace

void add_session_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"GET", "/sessions", list_sessions},
                               {"POST", "/sessions", create_session},
                               {"DELETE", "/sessions", delete_sessions},
                               {"GET", "/sessions/{}", get_session},
                               {"PATCH", "/sessions/{}", patch_session},
                               {"DELETE", "/sessions/{}", delete_session},
                               {"GET", "/sessions/{}/runs", get_session_runs},
                               {"GET", "/sessions/{}/runs/{}", get_session_run},
                               {"POST", "/sessions/{}/rename", rename_session}});
}

}  // namespace api::agentos
