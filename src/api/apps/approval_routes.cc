#include <algorithm>

#include "api/apps/approvals.h"
#include "api/apps/find_session.h"
#include "api/apps/place.h"
#include "api/apps/routes.h"
#include "api/problem.h"
#include "base/json.h"
#include "engine/continuations.h"

namespace api::apps {

namespace json = boost::json;

namespace {

constexpr std::size_t kMemoryBytes = 16 << 10;  // of what the session has noted, shown with its state

// The goal and the todos; how much is noted in all.
json::object shown_memory(const store::Page<run::MemoryEntry>& noted) {
  json::value goal;
  json::array todos;
  for (const auto& entry : noted.items) {
    if (entry.kind == run::MemoryKind::goal) goal = json::string(entry.content);
    if (entry.kind == run::MemoryKind::todo)
      todos.push_back(json::object{{"id", entry.number}, {"content", entry.content}, {"status", run::name(entry.status)}});
  }
  return {{"goal", std::move(goal)}, {"todos", std::move(todos)}, {"noted", noted.total}};
}

aio::Task<> get_state(Context& context, Request request, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  // In this order: a turn that is seen to be paused is seen to wait, too.
  const auto turns = co_await context.deps.store.turns(session->number);
  const auto waiting = co_await waiting_in(context, *session);
  store::RunFilter tasks;
  tasks.session_id = session->session_id;
  tasks.component_type = store::kKindTool;
  tasks.live_only = true;
  tasks.limit = 1;
  const auto live = co_await context.deps.store.list_runs(std::move(tasks));
  const auto standing = standing_of(turns);
  json::object out{{"session_id", session->session_id},
                   {"status", standing.status},
                   {"active_run", standing.active ? json::value(standing.active->run_id) : json::value()},
                   {"queued", standing.queued},
                   {"turns", standing.begun},
                   {"live_tasks", live.total},
                   {"pending_approvals", pending_approvals(waiting)},
                   {"seq", next_seq(turns)}};
  const auto noted = co_await context.deps.store.memory(session->number, {.part_bytes_max = kMemoryBytes});
  if (noted.total) out["memory"] = shown_memory(noted);
  co_await reply.send(json_response(200, base::to_text(out)));
}

aio::Task<> get_approvals(Context& context, Request request, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  const auto waiting = co_await waiting_in(context, *session);
  auto approvals = pending_approvals(waiting);
  const auto count = approvals.size();
  const json::object out{{"session_id", session->session_id}, {"approvals", std::move(approvals)}, {"count", count}};
  co_await reply.send(json_response(200, base::to_text(out)));
}

net::HttpResponse decided(const std::string& run_id, const std::string& call_id, bool approved, std::size_t waiting) {
  const json::object out{{"run_id", run_id},
                         {"call_id", call_id},
                         {"approved", approved},
                         {"status", waiting ? "recorded" : "continued"},
                         {"waiting", waiting}};
  return json_response(200, base::to_text(out));
}

// A decision that was made already: said again it is answered again, while its turn is the session's newest.
aio::Task<net::HttpResponse> repeated(Context& context, store::Session session, std::string id, Approval approval) {
  const auto turns = co_await context.deps.store.turns(session.number);
  const auto newest = std::ranges::find_if(turns.rbegin(), turns.rend(), [](const store::Turn& turn) { return !turn.waits; });
  const auto run = co_await context.deps.store.find_run(newest == turns.rend() ? "" : newest->run_id);
  std::vector<engine::Continuation> made;
  if (run) made = co_await engine::continuations(context.deps.store, *run);
  std::ranges::reverse(made);  // a provider may use a call's id again
  for (const auto& [index, continued] : made)
    for (const auto& decision : continued.decisions) {
      if (decision.call_id != id) continue;
      if (decision.approved == approval.approved && decision.note == approval.note)
        co_return decided(run->run_id, id, approval.approved, 0);
      co_return problem(409, "tool call '" + id + "' has been " + (decision.approved ? "approved" : "rejected") + " already");
    }
  co_return problem(404, "no tool call '" + id + "' waits for a decision; GET ../approvals lists those that do");
}

net::HttpResponse needs_answer(const run::ToolCall& call) {
  FieldErrors errors;
  errors.other("body", "answer", "", "value_error",
               "Value error, call '" + call.id + "' asks a question; give its answer as a text");
  return errors.response();
}

// One try; nothing where nothing waits for it (any more).
aio::Task<std::optional<net::HttpResponse>> try_decide(Context& context, const store::Session& session, const std::string& id,
                                                       const Approval& approval) {
  auto all = co_await waiting_in(context, session);
  std::erase_if(all, [&](const Waiting& waiting) { return !concerns(waiting, id, approval); });
  if (all.empty()) co_return std::nullopt;
  if (all.size() > 1) co_return problem(409, "several runs wait with call_id '" + id + "'; name the one that is meant as run_id");
  const auto& waiting = all.front();
  if (waiting.pause.calls.empty() && !approval.approved)
    co_return problem(409, "the run was parked, there is no call to reject; end it with POST ../abort");
  auto decisions = decisions_of(waiting, id, approval);
  if (const auto* call = unanswered(waiting, decisions)) co_return needs_answer(*call);
  const auto outcome = co_await context.deps.store.decide(waiting.run.number, std::move(decisions));
  if (!outcome) {
    const auto pause = co_await context.deps.store.pause_of(waiting.run.number);
    if (!pause) co_return std::nullopt;  // another decision was quicker; it may have been the same
    co_return problem(409, outcome.error().message);
  }
  if (outcome->goes_on) co_return decided(waiting.run.run_id, id, approval.approved, 0);
  const auto pause = co_await context.deps.store.pause_of(waiting.run.number);
  co_return decided(waiting.run.run_id, id, approval.approved, pause ? pause->calls.size() - pause->decided.size() : 0);
}

aio::Task<> post_approval(Context& context, Request request, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  const auto approval = read_approval(request.http.body);
  if (!approval) co_return co_await reply.send(approval.error());
  auto response = co_await try_decide(context, *session, request.params[2], *approval);
  if (!response) response = co_await repeated(context, *session, request.params[2], *approval);
  co_await reply.send(std::move(*response));
}

}  // namespace

void add_approval_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"GET", "/api/apps/{}/sessions/{}/state", get_state},
                               {"GET", "/api/apps/{}/sessions/{}/approvals", get_approvals},
                               {"POST", "/api/apps/{}/sessions/{}/approvals/{}", post_approval}});
}

}  // namespace api::apps
