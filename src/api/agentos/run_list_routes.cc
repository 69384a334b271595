#include "api/agentos/run_list_routes.h"

#include "api/agentos/session_view.h"
#include "api/fields.h"
#include "api/paging.h"
#include "base/json.h"

namespace api::agentos {

namespace {

aio::Task<> list_runs_of_session(Context& context, Request request, net::HttpReply& reply) {
  if (!has_runs(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  store::RunFilter filter;
  filter.component_id = request.params[0];
  filter.session_id = query.required("session_id");
  const auto status = query.text("status");
  if (!errors.empty()) co_return co_await reply.send(errors.response());
  const auto session = co_await context.deps.store.find_session(filter.session_id);
  if (!session) co_return co_await reply.send(problem(404, "Session not found"));
  json::array listed;
  filter.status = run::parse_status(status);
  if (status.empty() || filter.status) {  // an exact match: another word matches no run
    const auto all = [](const store::Run&) { return true; };
    const auto take = [&listed](const RunView& view) { listed.push_back(run_schema(view)); };
    co_await each_run(context, std::move(filter), all, take);
  }
  co_await reply.send(json_response(200, base::to_text(listed)));
}

json::object run_item(const store::Run& r) {
  return {{"run_id", r.run_id},
          {"component_type", r.kind},
          {"component_id", r.component_id},
          {"session_id", r.session_id},
          {"user_id", r.user_id},
          {"status", run::name(r.status)},
          {"created_at", base::iso_utc(r.created_ms)},
          {"updated_at", base::iso_utc(r.updated_ms)},
          {"last_event_index", r.event_count > 0 ? json::value(r.event_count - 1) : json::value(nullptr)}};
}

aio::Task<> list_runs(Context& context, Request request, net::HttpReply& reply) {
  FieldErrors errors;
  FieldReader query(request.target.query, "query", errors);
  store::RunFilter filter;
  filter.component_type = query.text("component_type");
  if (filter.component_type.empty()) filter.except_type = store::kKindTool;  // tasks are listed by their own name
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
  filter.offset = paging.offset();
  filter.ascending = paging.ascending;
  if (paging.sort_by == "updated_at") filter.sort = store::RunFilter::Sort::updated;
  const auto page = co_await context.deps.store.list_runs(filter);
  json::array data;
  for (const auto& run : page.items) data.push_back(run_item(run));
  const json::object body{{"data", std::move(data)}, {"meta", page_meta(paging, page.total)}};
  co_await reply.send(json_response(200, base::to_text(body)));
}

}  // namespace

void add_run_list_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"GET", "/agents/{}/runs", list_runs_of_session}, {"GET", "/runs", list_runs}});
}

}  // namespace api::agentos
