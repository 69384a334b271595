#pragma once
// One request as the routes see it.
#include <string>
#include <vector>

#include "net/form.h"
#include "net/http_server.h"

namespace api {

struct Request {
  net::HttpRequest http;
  net::Target target;
  std::vector<std::string> params;   // what the route's `{}` segments matched
};

}  // namespace api
