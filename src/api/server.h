#pragma once
// The server: every request passes its doors (Host, Origin, key), then goes to the route of a protocol adapter.
#include <memory>

#include "api/context.h"
#include "api/mcp/under_way.h"
#include "api/router.h"
#include "net/http_server.h"

namespace api {

class Server {
 public:
  explicit Server(Context& context);

  // The handler for net::HttpServer; the server must outlive it.
  net::HttpHandler handler();

 private:
  struct Routed;
  aio::Task<> handle(net::HttpRequest http, net::HttpReply& reply);
  std::unique_ptr<Routed> route(net::HttpRequest& http) const;
  aio::Task<> call(Routed& routed, net::HttpReply& reply);

  Context& context_;
  mcp::UnderWay mcp_calls_;
  std::vector<Route> routes_;
};

}  // namespace api
