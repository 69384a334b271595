#include "api/agentos/session_routes.h"

#include <boost/json/parse.hpp>

#include "api/agentos/run_view.h"
#include "api/fields.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"

namespace api::agentos {

namespace limits = base::limits;

namespace {

constexpr std::string_view kTypes[] = {"agent", "team", "workflow"};

json::value stored_json(const std::string& text) {
  if (text.empty()) return nullptr;
  auto value = base::parse_json(text);
  return value ? std::move(*value) : json::value(nullptr);
}

std::string capital(std::string_view type) {
  std::string word(type);
  if (!word.empty()) word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::value session_state(const store::Session& s) {
  auto state = stored_json(s.state);
  return state.is_null() ? json::value(json::object()) : state;
}

json::object session_summary(const store::Session& s) {
  return {{"session_id", s.session_id}, {"session_name", s.name}, {"session_state", session_state(s)},
          {"created_at", base::iso_utc(s.created_ms)}, {"updated_at", base::iso_utc(s.updated_ms)}, {"session_type", s.component_type},
          {"user_id", text_or_null(s.user_id)}, {s.component_type + "_id", text_or_null(s.component_id)},
          {"metadata", stored_json(s.metadata)}};
}

// Detail of a session: its chat and its tokens are those of its runs.
aio::Task<json::object> session_detail(Context& context, store::Session s) {
  store::RunFilter filter;
  filter.session_id = s.session_id;
  filter.limit = limits::kPageLimitMax;
  filter.ascending = true;
  auto page = co_await context.deps.store.list_runs(filter);
  json::array chat;
  run::Usage usage;
  for (auto& run : page.items) {
    const auto view = co_await load_view(context, std::move(run));
    for (auto& m : chat_messages(view)) chat.push_back(std::move(m));
    usage += view.state.usage;
  }
  json::object metrics;
  if (usage.total()) metrics = {{"input_tokens", usage.input_tokens}, {"output_tokens", usage.output_tokens}, {"total_tokens", usage.total()}};
  json::object o{{"user_id", text_or_null(s.user_id)}};
  if (s.component_type == "agent") o["agent_session_id"] = s.session_id;
  o["session_id"] = s.session_id;
  o["session_name"] = s.name;
  o["session_summary"] = nullptr;
  o["session_state"] = session_state(s);
  o[s.component_type + "_id"] = text_or_null(s.component_id);
  o["total_tokens"] = usage.total() ? json::value(usage.total()) : json::value(nullptr);
  if (s.component_type == "agent") o["agent_data"] = nullptr;
  o["metrics"] = std::move(metrics);
  o["metadata"] = stored_json(s.metadata);
  o["chat_history"] = std::move(chat);
  o["created_at"] = base::iso_utc(s.created_ms);
  o["updated_at"] = base::iso_utc(s.updated_ms);
  co_return o;
}

std::string read_type(const net::Form& query, FieldErrors& errors) {
  const auto type = std::string(net::value(query, "type").value_or(""));
  if (!type.empty() && std::ranges::find(kTypes, type) == std::end(kTypes))
    errors.bad_choice("query", "type", type, {std::begin(kTypes), std::end(kTypes)});
  return type;
}

// The session if it is there and of the type asked for.
aio::Task<std::optional<store::Session>> find(Context& context, std::string id, std::string type) {
  auto found = co_await context.deps.store.find_session(std::move(id));
  if (!found || (!type.empty() && found->component_type != type)) co_return std::nullopt;
  co_return std::move(*found);
}

json::object page_meta(std::int64_t page, std::int64_t limit, std::int64_t total) {
  return {{"page", page}, {"limit", limit}, {"total_pages", (total + limit - 1) / limit}, {"total_count", total}, {"search_time_ms", 0.0}};
}

struct Paging {
  std::int64_t limit = 20, page = 1;
  bool ascending = false;
  std::string sort_by;
};

Paging read_paging(FieldReader& query, FieldErrors& errors) {
  Paging paging;
  paging.limit = std::min(query.at_least("limit", 1, 20), limits::kPageLimitMax);
  paging.page = std::min<std::int64_t>(query.at_least("page", 1, 1), 1'000'000'000);
  paging.sort_by = query.text("sort_by");
  const auto order = query.text("sort_order");
  if (!order.empty() && order != "asc" && order != "desc") errors.bad_choice("query", "sort_order", order, {"asc", "desc"});
  paging.ascending = order == "asc";
  return paging;
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
  filter.offset = (paging.page - 1) * paging.limit;
  filter.ascending = paging.ascending;
  if (paging.sort_by == "updated_at") filter.sort = store::SessionFilter::Sort::updated;
  if (paging.sort_by == "session_name") filter.sort = store::SessionFilter::Sort::name;
  const auto page = co_await context.deps.store.list_sessions(filter);
  json::array data;
  for (const auto& session : page.items) data.push_back(without_nulls(session_summary(session)));
  const json::object body{{"data", std::move(data)}, {"meta", page_meta(paging.page, paging.limit, page.total)}};
  co_await reply.send(json_response(200, base::to_text(body)));
}

// Fields of a JSON body that change a session; other fields are ignored, as AgentOS does.
std::expected<json::object, net::HttpResponse> read_body(const Request& request) {
  const auto body = base::parse_json(request.http.body.empty() ? "{}" : request.http.body);
  if (!body || !body->is_object()) {
    FieldErrors errors;
    errors.other("body", "0", "", "json_invalid", "JSON decode error");
    return std::unexpected(errors.response());
  }
  return body->as_object();
}

std::optional<std::string> json_member(const json::object& body, std::string_view key) {
  const auto* value = body.if_contains(key);
  if (!value || value->is_null()) return std::nullopt;
  return base::to_text(*value);
}

aio::Task<> create_session(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  auto type = read_type(request.target.query, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto body = read_body(request);
  if (!body) co_return co_await reply.send(body.error());
  if (type.empty()) type = "agent";
  store::Session session;
  session.session_id = base::text_or_empty(*body, "session_id");
  if (session.session_id.empty()) session.session_id = base::new_uuid(context.deps.random);
  if (!base::valid_session_id(session.session_id)) {
    errors.other("body", "session_id", "", "string_pattern_mismatch", "String should be 1-256 bytes of UTF-8 without control characters");
    co_return co_await reply.send(errors.response());
  }
  session.name = base::text_or_empty(*body, "session_name");
  session.component_type = type;
  session.component_id = base::text_or_empty(*body, type + "_id");
  session.user_id = base::text_or_empty(*body, "user_id");
  session.state = json_member(*body, "session_state").value_or("");
  session.metadata = json_member(*body, "metadata").value_or("");
  session.created_ms = context.deps.time.wall_ms();
  const auto id = session.session_id;
  auto created = co_await context.deps.store.create_session(std::move(session));
  if (!created)
    co_return co_await reply.send(problem(409, "Session with id '" + id + "' already exists. Use PATCH /sessions/" + id + " to update it."));
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

aio::Task<> get_session_runs(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  const auto type = read_type(request.target.query, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto session = co_await find(context, request.params[0], type);
  if (!session) co_return co_await reply.send(problem(404, "Session with ID " + request.params[0] + " not found"));
  store::RunFilter filter;
  filter.session_id = session->session_id;
  filter.limit = limits::kPageLimitMax;
  filter.ascending = true;
  auto page = co_await context.deps.store.list_runs(filter);
  json::array runs;
  for (auto& run : page.items) {
    const auto view = co_await load_view(context, std::move(run));
    runs.push_back(without_nulls(run_schema(view)));
  }
  co_await reply.send(json_response(200, base::to_text(runs)));
}

aio::Task<> get_session_run(Context& context, Request request, net::HttpReply& reply) {
  auto run = co_await context.deps.store.find_run(request.params[1]);
  if (!run || run->session_id != request.params[0])
    co_return co_await reply.send(problem(404, "Run with ID " + request.params[1] + " not found in session " + request.params[0]));
  const auto view = co_await load_view(context, std::move(*run));
  co_await reply.send(json_response(200, base::to_text(run_schema(view))));
}

aio::Task<> change(Context& context, std::string id, store::SessionChange change, net::HttpReply& reply) {
  auto changed = co_await context.deps.store.change_session(id, std::move(change));
  if (!changed) co_return co_await reply.send(problem(404, "Session with id '" + id + "' not found"));
  const auto detail = co_await session_detail(context, std::move(*changed));
  co_await reply.send(json_response(200, base::to_text(detail)));
}

aio::Task<> rename_session(Context& context, Request request, net::HttpReply& reply) {
  const auto body = read_body(request);
  if (!body) co_return co_await reply.send(body.error());
  const auto name = base::string_field(*body, "session_name");
  if (!name) {
    FieldErrors errors;
    errors.missing("body", "session_name");
    co_return co_await reply.send(errors.response());
  }
  co_await change(context, request.params[0], {.name = std::string(*name), .state = {}, .metadata = {}}, reply);
}

aio::Task<> patch_session(Context& context, Request request, net::HttpReply& reply) {
  const auto body = read_body(request);
  if (!body) co_return co_await reply.send(body.error());
  store::SessionChange wanted;
  if (const auto name = base::string_field(*body, "session_name")) wanted.name = std::string(*name);
  wanted.state = json_member(*body, "session_state");
  wanted.metadata = json_member(*body, "metadata");
  co_await change(context, request.params[0], std::move(wanted), reply);
}

aio::Task<> delete_session(Context& context, Request request, net::HttpReply& reply) {
  co_await context.deps.store.remove_session(request.params[0]);
  co_await reply.send({.status = 204, .content_type = "", .body = ""});
}

aio::Task<> delete_sessions(Context& context, Request request, net::HttpReply& reply) {
  const auto body = read_body(request);
  if (!body) co_return co_await reply.send(body.error());
  const auto* ids = base::array_field(*body, "session_ids");
  const auto* types = base::array_field(*body, "session_types");
  if (!ids || !types || ids->size() != types->size())
    co_return co_await reply.send(problem(400, "Session IDs and session types must have the same length"));
  for (const auto& id : *ids)
    if (id.is_string()) co_await context.deps.store.remove_session(std::string(id.get_string()));
  co_await reply.send({.status = 204, .content_type = "", .body = ""});
}

json::object run_item(const store::Run& r) {
  json::object item{{"run_id", r.run_id}, {"component_type", r.kind}, {"component_id", r.component_id}, {"session_id", r.session_id},
                    {"user_id", r.user_id}, {"status", run::name(r.status)}, {"created_at", base::iso_utc(r.created_ms)},
                    {"updated_at", base::iso_utc(r.updated_ms)}};
  item["last_event_index"] = r.event_count > 0 ? json::value(r.event_count - 1) : json::value(nullptr);
  return item;
}

aio::Task<> list_runs(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  store::RunFilter filter;
  filter.component_type = query.text("component_type");
  filter.component_id = query.text("component_id");
  filter.session_id = query.text("session_id");
  filter.user_id = query.text("user_id");
  const auto status = query.text("status");
  filter.status = run::parse_status(status);
  if (!status.empty() && !filter.status)
    errors.bad_choice("query", "status", status, {"PENDING", "RUNNING", "PAUSED", "COMPLETED", "ERROR", "CANCELLED"});
  const auto paging = read_paging(query, errors);
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  filter.limit = paging.limit;
  filter.offset = (paging.page - 1) * paging.limit;
  filter.ascending = paging.ascending;
  if (paging.sort_by == "updated_at") filter.sort = store::RunFilter::Sort::updated;
  const auto page = co_await context.deps.store.list_runs(filter);
  json::array data;
  for (const auto& run : page.items) data.push_back(run_item(run));
  const json::object body{{"data", std::move(data)}, {"meta", page_meta(paging.page, paging.limit, page.total)}};
  co_await reply.send(json_response(200, base::to_text(body)));
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
                               {"POST", "/sessions/{}/rename", rename_session},
                               {"GET", "/runs", list_runs}});
}

}  // namespace api::agentos
