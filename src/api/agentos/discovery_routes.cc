#include "api/agentos/discovery_routes.h"

#include "api/agentos/run_view.h"
#include "api/problem.h"
#include "base/json.h"

namespace api::agentos {

namespace {

constexpr std::string_view kApiLevel = "3.0.0";  // the AgentOS API that is followed (docs/formats/agentos.md)
constexpr std::string_view kDatabase = "outlast";

json::object system_message(const app::Agent& agent) {
  json::object o;
  if (!agent.description.empty()) o["description"] = agent.description;
  if (!agent.system_prompt.empty()) o["system_message"] = agent.system_prompt;
  return o;
}

json::object agent_item(const Context& context, const app::Agent& agent) {
  json::array tools;
  for (const auto& granted : agent.tools) {
    const auto* tool = context.deps.tools.find(granted.name);
    if (!tool) continue;
    const auto& d = tool->definition();
    auto schema = base::parse_json(d.schema);
    json::object one{
        {"name", d.name}, {"description", d.description}, {"parameters", schema ? std::move(*schema) : json::value()}};
    if (granted.gate == app::Gate::approve) one["requires_confirmation"] = true;
    tools.push_back(std::move(one));
  }
  json::object o{{"id", agent.id}, {"name", agent.name}, {"db_id", kDatabase}};
  if (!agent.description.empty()) o["description"] = agent.description;
  o["is_factory"] = false;
  o["model"] = json::object{{"name", agent.brain.model}, {"model", agent.brain.model}, {"provider", agent.brain.provider}};
  if (!tools.empty()) o["tools"] = json::object{{"tools", std::move(tools)}};
  o["sessions"] = json::object{{"session_table", "session"}};
  o["reasoning"] = json::object{{"reasoning", false}};
  if (auto message = system_message(agent); !message.empty()) o["system_message"] = std::move(message);
  o["is_component"] = false;
  return o;
}

aio::Task<> get_root(Context& context, Request, net::HttpReply& reply) {
  const json::object body{{"name", context.options.name},
                          {"id", context.options.os_id},
                          {"version", OUTLAST_VERSION},
                          {"health", "/health"},
                          {"info", "/info"},
                          {"docs", "/docs"}};
  co_await reply.send(json_response(200, base::to_text(body)));
}

aio::Task<> get_health(Context& context, Request, net::HttpReply& reply) {
  const json::object body{{"status", "ok"}, {"instantiated_at", base::iso_utc_ms(context.options.instantiated_ms)}};
  co_await reply.send(json_response(200, base::to_text(body)));
}

aio::Task<> get_info(Context& context, Request, net::HttpReply& reply) {
  const json::object body{{"os_id", context.options.os_id},
                          {"name", context.options.name},
                          {"os_version", context.app.version},
                          {"agno_version", kApiLevel},
                          {"outlast_version", OUTLAST_VERSION},
                          {"agent_count", context.app.agents.size()},
                          {"team_count", 0},
                          {"workflow_count", 0},
                          {"mcp", {{"enabled", false}, {"path", nullptr}, {"oauth", nullptr}}},
                          {"auth_mode", context.options.security_key.empty() ? "none" : "security_key"}};
  co_await reply.send(json_response(200, base::to_text(body)));
}

aio::Task<> get_config(Context& context, Request, net::HttpReply& reply) {
  const json::object session_db{
      {"db_id", kDatabase}, {"domain_config", {{"display_name", kDatabase}}}, {"tables", json::array{"session"}}};
  const json::object unused{{"dbs", json::array()}};
  json::array agents;
  for (const auto& agent : context.app.agents) {
    json::object one{{"id", agent.id}, {"name", agent.name}};
    if (!agent.description.empty()) one["description"] = agent.description;
    one["db_id"] = kDatabase;
    one["model"] = json::object{{"id", agent.brain.model}, {"provider", agent.brain.provider}};
    agents.push_back(std::move(one));
  }
  json::object body{{"os_id", context.options.os_id}, {"name", context.options.name}};
  if (!context.app.description.empty()) body["description"] = context.app.description;
  body["available_models"] = json::array();
  body["databases"] = json::array{kDatabase};
  body["session"] = json::object{{"dbs", json::array{session_db}}};
  for (const auto* domain : {"metrics", "memory", "learning"}) body[domain] = unused;
  body["knowledge"] = json::object{{"dbs", json::array()}, {"knowledge_instances", json::array()}};
  for (const auto* domain : {"evals", "traces"}) body[domain] = unused;
  body["agents"] = std::move(agents);
  for (const auto* list : {"teams", "workflows", "interfaces"}) body[list] = json::array();
  co_await reply.send(json_response(200, base::to_text(body)));
}

aio::Task<> list_agents(Context& context, Request, net::HttpReply& reply) {
  json::array agents;
  for (const auto& agent : context.app.agents) agents.push_back(agent_item(context, agent));
  co_await reply.send(json_response(200, base::to_text(agents)));
}

aio::Task<> get_agent(Context& context, Request request, net::HttpReply& reply) {
  const auto* agent = find_agent(context, request.params[0]);
  if (!agent) co_return co_await reply.send(problem(404, "Agent not found"));
  co_await reply.send(json_response(200, base::to_text(agent_item(context, *agent))));
}

aio::Task<> list_models(Context& context, Request, net::HttpReply& reply) {
  json::array models;
  for (const auto& agent : context.app.agents) {
    json::object one{{"id", agent.brain.model}, {"provider", agent.brain.provider}};
    const json::value item(one);
    if (std::ranges::find(models, item) == models.end()) models.push_back(item);
  }
  co_await reply.send(json_response(200, base::to_text(models)));
}

aio::Task<> empty_list(Context&, Request, net::HttpReply& reply) { co_await reply.send(json_response(200, "[]")); }
aio::Task<> no_team(Context&, Request, net::HttpReply& reply) { co_await reply.send(problem(404, "Team not found")); }
aio::Task<> no_workflow(Context&, Request, net::HttpReply& reply) { co_await reply.send(problem(404, "Workflow not found")); }

aio::Task<> refuse_checkpoints(Context& context, Request request, net::HttpReply& reply) {
  if (!find_agent(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  co_await reply.send(
      problem(409, "Checkpoints are not supported: the run's events and messages are in GET /agents/{id}/runs/{run_id}"));
}

aio::Task<> refuse_session_fork(Context& context, Request request, net::HttpReply& reply) {
  if (!find_agent(context, request.params[0])) co_return co_await reply.send(problem(404, "Agent not found"));
  co_await reply.send(problem(409, "Forking a session over HTTP is not supported; on the command line: outlast fork"));
}

// Teams and workflows are not served yet: none exists, so each of their routes says that it does not.
void add_absent_kinds(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"GET", "/teams", empty_list},
                               {"GET", "/teams/{}", no_team},
                               {"POST", "/teams/{}/runs", no_team},
                               {"GET", "/teams/{}/runs", no_team},
                               {"GET", "/teams/{}/runs/{}", no_team},
                               {"POST", "/teams/{}/runs/{}/resume", no_team},
                               {"GET", "/teams/{}/runs/{}/resume", no_team},
                               {"POST", "/teams/{}/runs/{}/cancel", no_team},
                               {"POST", "/teams/{}/runs/{}/continue", no_team},
                               {"GET", "/teams/{}/runs/{}/checkpoints", no_team},
                               {"GET", "/teams/{}/runs/{}/checkpoints/{}", no_team},
                               {"POST", "/teams/{}/sessions/{}/fork", no_team},
                               {"GET", "/workflows", empty_list},
                               {"GET", "/workflows/{}", no_workflow},
                               {"POST", "/workflows/{}/runs", no_workflow},
                               {"GET", "/workflows/{}/runs", no_workflow},
                               {"GET", "/workflows/{}/runs/{}", no_workflow},
                               {"POST", "/workflows/{}/runs/{}/resume", no_workflow},
                               {"GET", "/workflows/{}/runs/{}/resume", no_workflow},
                               {"POST", "/workflows/{}/runs/{}/cancel", no_workflow},
                               {"POST", "/workflows/{}/runs/{}/continue", no_workflow}});
}

}  // namespace

void add_discovery_routes(std::vector<Route>& routes) {
  routes.insert(routes.end(), {{"GET", "/", get_root},
                               {"GET", "/health", get_health},
                               {"GET", "/info", get_info},
                               {"GET", "/config", get_config},
                               {"GET", "/models", list_models},
                               {"GET", "/agents", list_agents},
                               {"GET", "/agents/{}", get_agent},
                               {"GET", "/agents/{}/runs/{}/checkpoints", refuse_checkpoints},
                               {"GET", "/agents/{}/runs/{}/checkpoints/{}", refuse_checkpoints},
                               {"POST", "/agents/{}/sessions/{}/fork", refuse_session_fork}});
  add_absent_kinds(routes);
}

}  // namespace api::agentos
