#pragma once
// Which session a path names: one of the served app and of the user who asks. Another's is as good as unknown.
#include <expected>
#include <optional>
#include <string>

#include "api/context.h"
#include "api/request.h"

namespace api::apps {

// The served app's id: that of its file, else the server's name.
const std::string& app_id_of(const Context& context);

// 404 where the path's app is not the one that is served.
std::optional<net::HttpResponse> refuse_app(const Context& context, const Request& request);

// Who asks: `?user_id=`. A label, like everywhere: the key is what lets somebody in.
std::string user_of(const Request& request);

// The session of /api/apps/{app}/sessions/{sid}...; or the refusal.
aio::Task<std::expected<store::Session, net::HttpResponse>> find_session(Context& context, const Request& request);

}  // namespace api::apps
