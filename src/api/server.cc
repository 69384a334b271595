#include "api/server.h"

#include <algorithm>

#include "api/agentos/discovery_routes.h"
#include "api/agentos/run_list_routes.h"
#include "api/agentos/run_routes.h"
#include "api/agentos/session_routes.h"
#include "api/apps/routes.h"
#include "api/doors.h"
#include "api/mcp/http_routes.h"
#include "api/metrics.h"
#include "api/problem.h"
#include "base/log.h"
#include "harness/harness.h"

namespace api {

const app::Agent* find_agent(const Context& context, std::string_view id) {
  const auto at = std::ranges::find(context.app.agents, id, &app::Agent::id);
  return at == context.app.agents.end() ? nullptr : &*at;
}

bool has_runs(const Context& context, std::string_view id) { return find_agent(context, id) || harness::find(id); }

namespace {

// Adds the CORS headers of one request to whatever its handler answers.
class CorsReply final : public net::HttpReply {
 public:
  CorsReply(net::HttpReply& inner, std::vector<net::HttpHeader> headers) : inner_(inner), headers_(std::move(headers)) {}
  aio::Task<> send(net::HttpResponse response) override {
    answered_ = true;
    response.headers.insert(response.headers.end(), headers_.begin(), headers_.end());
    return inner_.send(std::move(response));
  }
  aio::Task<bool> begin(int status, std::string content_type, std::vector<net::HttpHeader> headers) override {
    answered_ = true;
    headers.insert(headers.end(), headers_.begin(), headers_.end());
    return inner_.begin(status, std::move(content_type), std::move(headers));
  }
  aio::Task<bool> write(std::span<const std::string_view> parts) override { return inner_.write(parts); }
  aio::Task<> finish() override { return inner_.finish(); }
  void on_gone(std::function<void()> callback) override { inner_.on_gone(std::move(callback)); }
  bool gone() const override { return inner_.gone(); }
  bool answered() const { return answered_; }

 private:
  net::HttpReply& inner_;
  std::vector<net::HttpHeader> headers_;
  bool answered_ = false;
};

// The disk or the database does not work now: nothing was done, and the client may come again.
net::HttpResponse storage_unavailable() {
  auto response = problem(503, "Storage is unavailable; nothing was changed. Try again later.");
  response.headers.push_back({"retry-after", "5"});
  return response;
}

net::HttpResponse no_route(const std::string& allow) {
  if (allow.empty()) return problem(404, "Not Found");
  auto response = problem(405, "Method Not Allowed");
  response.headers.push_back({"allow", allow});
  return response;
}

}  // namespace

Server::Server(Context& context) : context_(context) {
  context.mcp_calls = &mcp_calls_;
  agentos::add_discovery_routes(routes_);
  agentos::add_run_routes(routes_);
  agentos::add_run_list_routes(routes_);
  agentos::add_session_routes(routes_);
  apps::add_app_routes(routes_);
  mcp::add_mcp_routes(routes_);
  add_metrics_route(routes_);
}

net::HttpHandler Server::handler() {
  return [this](net::HttpRequest http, net::HttpReply& reply) { return handle(std::move(http), reply); };
}

// Where a request goes. On the heap and gone before its handler rests: ten thousand handlers may.
struct Server::Routed {
  Handler handler = nullptr;
  Request request;
  net::HttpResponse refusal;  // where there is no handler
  std::vector<net::HttpHeader> cors;
};

std::unique_ptr<Server::Routed> Server::route(net::HttpRequest& http) const {
  const auto& options = context_.options;
  auto routed = std::make_unique<Routed>();
  const auto refuse_with = [&routed](net::HttpResponse response) {
    routed->refusal = std::move(response);
    return std::move(routed);
  };
  if (auto answer = preflight(options, http)) return refuse_with(std::move(*answer));
  routed->cors = cors_headers(options, http);
  auto target = net::parse_target(http.target);
  if (!target) return refuse_with(problem(400, target.error().message));
  if (auto refused = refuse(options, http, *target)) return refuse_with(std::move(*refused));
  auto match = find_route(routes_, http.method, target->segments);
  if (!match.handler) return refuse_with(no_route(match.allow));
  routed->handler = match.handler;
  routed->request = {.http = std::move(http), .target = std::move(*target), .params = std::move(match.params)};
  return routed;
}

aio::Task<> Server::call(Routed& routed, net::HttpReply& reply) {
  return routed.handler(context_, std::move(routed.request), reply);
}

aio::Task<> Server::handle(net::HttpRequest http, net::HttpReply& reply) {
  auto routed = route(http);
  CorsReply cors(reply, std::move(routed->cors));
  if (!routed->handler) co_return co_await cors.send(std::move(routed->refusal));
  auto handling = call(*routed, cors);
  routed.reset();
  std::string broken;
  try {
    co_await std::move(handling);
  } catch (const base::Broken& error) {
    broken = error.what();
  }
  if (broken.empty()) co_return;
  base::log::error("a request met broken storage", {{"reason", broken}});
  if (!cors.answered()) co_await cors.send(storage_unavailable());
}

}  // namespace api
