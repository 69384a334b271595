#include "api/apps/find_session.h"

#include "api/problem.h"

namespace api::apps {

const std::string& app_id_of(const Context& context) { return context.options.os_id; }

std::optional<net::HttpResponse> refuse_app(const Context& context, const Request& request) {
  const auto& app = request.params[0];
  if (app == app_id_of(context)) return std::nullopt;
  return problem(404, "App '" + app + "' not found; this server serves '" + app_id_of(context) + "'");
}

std::string user_of(const Request& request) { return std::string(net::value(request.target.query, "user_id").value_or("")); }

aio::Task<std::expected<store::Session, net::HttpResponse>> find_session(Context& context, const Request& request) {
  if (auto refused = refuse_app(context, request)) co_return std::unexpected(std::move(*refused));
  auto session = co_await context.deps.store.find_session(request.params[1]);
  if (!session || session->app_id != app_id_of(context) || session->user_id != user_of(request))
    co_return std::unexpected(problem(404, "Session '" + request.params[1] + "' not found; make it with POST /api/apps/" +
                                               app_id_of(context) + "/sessions, and name its user with ?user_id= if it has one"));
  co_return std::move(*session);
}

}  // namespace api::apps
