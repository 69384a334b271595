#pragma once
// What a request must pass before it is routed: the key, the Host (against DNS rebinding) and the Origin. Pure.
#include <optional>

#include "api/context.h"
#include "net/form.h"
#include "net/http_server.h"

namespace api {

// The refusal, or nothing when the request may pass. `target` is the request's.
std::optional<net::HttpResponse> refuse(const ServerOptions& options, const net::HttpRequest& request, const net::Target& target);

// Whether a page of this origin is of this machine (any port).
bool origin_is_local(std::string_view origin);

// The CORS headers of an answer to this request (none without an Origin).
std::vector<net::HttpHeader> cors_headers(const ServerOptions& options, const net::HttpRequest& request);
// The answer to a preflight, where the request is one.
std::optional<net::HttpResponse> preflight(const ServerOptions& options, const net::HttpRequest& request);

}  // namespace api
