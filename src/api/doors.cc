#include "api/doors.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "api/problem.h"
#include "base/text.h"

namespace api {

namespace {

bool is_open(std::string_view path) {
  static constexpr std::string_view kOpen[] = {"/", "/health", "/info", "/docs", "/redoc", "/openapi.json"};
  return std::ranges::find(kOpen, path) != std::end(kOpen);
}

bool same_secret(std::string_view a, std::string_view b) {
  // Digests first, so that neither length nor content shows in the time it takes.
  const auto x = base::sha256_hex(a), y = base::sha256_hex(b);
  return CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

// 127.0.0.0/8 written as four numbers; "127.0.0.1.example.com" is somebody's name.
bool is_loopback_address(std::string_view name) {
  const auto parts = base::split(name, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  return std::ranges::all_of(parts, [](std::string_view part) {
    return !part.empty() && part.size() <= 3 && part.find_first_not_of("0123456789") == std::string_view::npos;
  });
}

// Without a key only this machine's own programs may call: a page that rebinds its name to 127.0.0.1 sends its own Host.
bool is_local_host(std::string_view host) {
  const auto name = base::to_lower(host_name(host));
  return name == "localhost" || name == "[::1]" || is_loopback_address(name) || name.ends_with(".localhost");
}

bool origin_allowed(const ServerOptions& options, std::string_view origin) {
  return std::ranges::find(options.cors_origins, origin) != options.cors_origins.end();
}

}  // namespace

// A page on this machine is as local as a program on it.
bool origin_is_local(std::string_view origin) {
  const auto at = origin.find("://");
  return at != std::string_view::npos && is_local_host(origin.substr(at + 3));
}

namespace {

std::optional<std::string> cookie(const net::HttpRequest& request, std::string_view name) {
  const auto header = request.header("cookie");
  if (!header) return std::nullopt;
  for (const auto pair : base::split(*header, ';')) {
    const auto text = base::trim(pair);
    if (text.starts_with(name) && text.substr(name.size()).starts_with('=')) return std::string(text.substr(name.size() + 1));
  }
  return std::nullopt;
}

// A browser's EventSource cannot send headers. For its two routes, which change nothing, the key may come in the query or as a
// cookie.
std::optional<std::string> event_source_key(const net::HttpRequest& request, const net::Target& target) {
  const auto& path = target.segments;
  const bool resume = path.size() == 5 && path[2] == "runs" && path[4] == "resume";
  const bool events = path.size() == 6 && path[0] == "api" && path[1] == "apps" && path[3] == "sessions" && path[5] == "events";
  if (request.method != "GET" || (!resume && !events)) return std::nullopt;
  for (const auto* name : {"access_token", "token"})
    if (const auto value = net::value(target.query, name)) return std::string(*value);
  return cookie(request, "access_token");
}

std::optional<net::HttpResponse> refuse_key(const ServerOptions& options, const net::HttpRequest& request,
                                            const net::Target& target) {
  if (is_open(target.path)) return std::nullopt;
  const auto header = request.header("authorization");
  if (!header) {
    const auto key = event_source_key(request, target);
    if (!key) return problem(401, "Authorization header required");
    if (!same_secret(*key, options.security_key)) return problem(401, "Invalid authentication token");
    return std::nullopt;
  }
  const auto space = header->find(' ');
  const bool bearer = base::to_lower(header->substr(0, space)) == "bearer";
  if (!bearer || space == std::string_view::npos || !same_secret(base::trim(header->substr(space + 1)), options.security_key))
    return problem(401, "Invalid authentication token");
  return std::nullopt;
}

}  // namespace

std::optional<net::HttpResponse> refuse(const ServerOptions& options, const net::HttpRequest& request,
                                        const net::Target& target) {
  if (!options.security_key.empty()) return refuse_key(options, request, target);
  const auto host = request.header("host");
  // A name without a dot is no name that a foreign page could have; programs of old send none at all.
  if (host && host->find('.') != std::string_view::npos && !is_local_host(*host))
    return problem(403, "Host not allowed: call this server by 127.0.0.1 or localhost, or start it with a key");
  const auto origin = request.header("origin");
  if (origin && request.method != "GET" && request.method != "OPTIONS" && !origin_allowed(options, *origin) &&
      !origin_is_local(*origin))
    return problem(403, "Origin not allowed");
  return std::nullopt;
}

std::vector<net::HttpHeader> cors_headers(const ServerOptions& options, const net::HttpRequest& request) {
  const auto origin = request.header("origin");
  if (!origin) return {};
  std::vector<net::HttpHeader> headers{{"access-control-allow-credentials", "true"}, {"access-control-expose-headers", "*"}};
  if (origin_allowed(options, *origin)) {
    headers.push_back({"access-control-allow-origin", std::string(*origin)});
    headers.push_back({"vary", "Origin"});
  }
  return headers;
}

std::optional<net::HttpResponse> preflight(const ServerOptions& options, const net::HttpRequest& request) {
  const auto origin = request.header("origin");
  if (request.method != "OPTIONS" || !origin || !request.header("access-control-request-method")) return std::nullopt;
  const bool allowed = origin_allowed(options, *origin);
  net::HttpResponse response{.status = allowed ? 200 : 400,
                             .content_type = "text/plain; charset=utf-8",
                             .body = allowed ? "OK" : "Disallowed CORS origin"};
  response.headers = {{"vary", "Origin"},
                      {"access-control-allow-methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
                      {"access-control-max-age", "600"},
                      {"access-control-allow-credentials", "true"}};
  if (allowed) {
    response.headers.push_back({"access-control-allow-origin", std::string(*origin)});
    if (const auto wanted = request.header("access-control-request-headers"))
      response.headers.push_back({"access-control-allow-headers", std::string(*wanted)});
  }
  return response;
}

}  // namespace api
