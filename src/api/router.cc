#include "api/router.h"

#include <optional>

#include "base/text.h"

namespace api {

namespace {

std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string>& segments) {
  std::vector<std::string> params;
  if (pattern == "/") {
    if (segments.empty()) return params;
    return std::nullopt;
  }
  const auto wanted = base::split(pattern.substr(1), '/');
  if (wanted.size() != segments.size()) return std::nullopt;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "{}")
      params.push_back(segments[i]);
    else if (wanted[i] != segments[i])
      return std::nullopt;
  }
  return params;
}

}  // namespace

Match find_route(const std::vector<Route>& routes, std::string_view method, const std::vector<std::string>& segments) {
  Match found;
  for (const auto& route : routes) {
    auto params = match(route.pattern, segments);
    if (!params) continue;
    if (route.method == method) return {.handler = route.handler, .params = std::move(*params), .allow = {}};
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += route.method;
  }
  return found;
}

}  // namespace api
