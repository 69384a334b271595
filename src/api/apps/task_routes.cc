#include "api/apps/find_session.h"
#include "api/apps/routes.h"
#include "api/problem.h"
#include "app/spec_of.h"
#include "base/ids.h"
#include "base/json.h"
#include "run/wrapped_call.h"
#include "tool/task_result.h"

namespace api::apps {

namespace json = boost::json;

namespace {

// The session itself asks, not a run of it.
tool::Context asked_by(Context& context, const store::Session& session) {
  tool::Context asked{.run_id = {}, .call_id = base::new_uuid(context.deps.random)};
  asked.session_id = session.session_id;
  asked.work_directory = context.work_directory;
  asked.tasks = context.deps.tasks;
  return asked;
}

aio::Task<> list_tasks(Context& context, Request request, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  // As many of those that have ended as the session's agent is shown.
  const auto* agent = find_agent(context, session->component_id);
  const auto spec = agent ? app::spec_of(*agent) : run::Spec();
  auto asked = asked_by(context, *session);
  asked.spec = &spec;
  json::array tasks;
  std::size_t live = 0;
  for (const auto& task : co_await context.deps.tasks->list(asked)) {
    if (task.is_live()) ++live;
    tasks.push_back(tool::summarize(task, context.deps.time.wall_ms()));
  }
  const auto count = tasks.size();
  const json::object out{{"session_id", session->session_id}, {"tasks", std::move(tasks)}, {"count", count}, {"live", live}};
  co_await reply.send(json_response(200, base::to_text(out)));
}

// Answered as an agent of the session is answered: by background_run. A task of another session is not found.
aio::Task<> ask_about(Context& context, const Request& request, json::object arguments, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  auto asked = asked_by(context, *session);
  const auto& task_id = request.params[2];
  const auto task = co_await context.deps.tasks->find(asked, task_id);
  if (!task)
    co_return co_await reply.send(problem(404, "Task '" + task_id + "' not found; GET ../tasks lists those of the session"));
  arguments["task_id"] = task_id;
  auto calling = context.deps.tools.call(std::string(run::kBackgroundRun), base::to_text(arguments), std::move(asked));
  auto outcome = co_await std::move(calling);
  if (outcome.is_error) co_return co_await reply.send(problem(409, outcome.text));
  co_await reply.send(json_response(200, std::move(outcome.text)));
}

aio::Task<> get_task(Context& context, Request request, net::HttpReply& reply) {
  json::object arguments;
  if (const auto lines = net::value(request.target.query, "tail_lines")) arguments["tail_lines"] = *lines;
  co_await ask_about(context, request, std::move(arguments), reply);
}

aio::Task<> cancel_task(Context& context, Request request, net::HttpReply& reply) {
  json::object arguments{{"cancel", true}};
  co_await ask_about(context, request, std::move(arguments), reply);
}

}  // namespace

void add_task_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"GET", "/api/apps/{}/sessions/{}/tasks", list_tasks},
                               {"GET", "/api/apps/{}/sessions/{}/tasks/{}", get_task},
                               {"POST", "/api/apps/{}/sessions/{}/tasks/{}/cancel", cancel_task}});
}

}  // namespace api::apps
