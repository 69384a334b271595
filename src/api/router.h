#pragma once
// Which handler answers a method and path. Patterns are segments, `{}` matches one.
#include <functional>
#include <string_view>
#include <vector>

#include "aio/task.h"
#include "api/context.h"
#include "api/request.h"
#include "net/http_server.h"

namespace api {

using Handler = aio::Task<> (*)(Context& context, Request request, net::HttpReply& reply);

struct Route {
  std::string_view method;
  std::string_view pattern;   // "/agents/{}/runs"
  Handler handler;
};

struct Match {
  Handler handler = nullptr;
  std::vector<std::string> params;
  std::string allow;          // where the path is known but the method is not: "GET, POST"
};

Match find_route(const std::vector<Route>& routes, std::string_view method, const std::vector<std::string>& segments);

}  // namespace api
