#include "api/mcp/http_routes.h"

#include <algorithm>

#include "api/doors.h"
#include "api/mcp/dispatch.h"
#include "api/mcp/http_sink.h"
#include "api/mcp/under_way.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace api::mcp {

namespace limits = base::limits;

namespace {

constexpr std::string_view kSharedSession = "mcp";  // of clients that have no session and name none
constexpr std::string_view kSessionType = "mcp";
constexpr std::string_view kEnded = R"({"mcp":"ended"})";

net::HttpResponse rpc_response(int status, const json::value& id, const RpcError& error) {
  return {.status = status, .body = encode_error(id, error), .headers = {}};
}

net::HttpResponse refusal(int status, Code code, std::string message) {
  return rpc_response(status, nullptr, {.code = code, .message = std::move(message)});
}

bool accepts_stream(const net::HttpRequest& request) {
  return request.header("accept").value_or("").find("text/event-stream") != std::string_view::npos;
}

// What a page of a foreign origin could send without being asked for it must not get here: commands are run.
std::optional<net::HttpResponse> refuse_post(const Request& request) {
  const auto& http = request.http;
  const auto type = base::to_lower(base::trim(base::split(http.header("content-type").value_or(""), ';').front()));
  if (type != "application/json") return refusal(415, Code::invalid_request, "content-type must be application/json");
  if (http.body.size() > limits::kMcpMessageBytesMax)
    return refusal(413, Code::invalid_request, "a message has at most " + std::to_string(limits::kMcpMessageBytesMax) + " bytes");
  return std::nullopt;
}

std::optional<net::HttpResponse> refuse_any(const Request& request) {
  if (const auto origin = request.http.header("origin"); origin && !origin_is_local(*origin))
    return refusal(403, Code::invalid_request, "Origin not allowed");
  if (const auto named = net::value(request.target.query, "session"); named && !base::valid_session_id(*named))
    return refusal(400, Code::invalid_request, "session must be 1-256 bytes without control characters");
  return std::nullopt;
}

std::string scope_of(const Request& request, std::string_view otherwise) {
  return std::string(net::value(request.target.query, "session").value_or(otherwise));
}

// The client's session of this protocol, or the refusal: 400 without its id, 404 where it is not known or has ended.
aio::Task<std::expected<store::Session, net::HttpResponse>> find_session(Context& context, const Request& request) {
  const auto id = request.http.header("mcp-session-id");
  if (!id) co_return std::unexpected(refusal(400, Code::invalid_request, "MCP-Session-Id is missing; initialize first"));
  auto session = co_await context.deps.store.find_session(std::string(*id));
  if (!session || session->component_type != kSessionType || session->metadata == kEnded)
    co_return std::unexpected(refusal(404, Code::invalid_request, "no such session; initialize again"));
  co_return std::move(*session);
}

// Makes a session that any process of the home knows, also after a restart.
aio::Task<> initialize(Context& context, Message message, net::HttpReply& reply) {
  store::Session session;
  session.session_id = base::new_uuid(context.deps.random);
  session.component_type = kSessionType;
  const auto* client = base::object_field(message.params, "clientInfo");
  const auto name = client ? base::text_or_empty(*client, "name") : std::string();
  session.name = "MCP " + std::string(base::utf8_prefix(name, limits::kNameBytesMax / 2));
  session.created_ms = session.updated_ms = context.deps.time.wall_ms();
  const auto made = co_await context.deps.store.create_session(session);
  if (!made) co_return co_await reply.send(refusal(500, Code::internal_error, made.error().message));
  net::HttpResponse response{.body = encode_answer(message.id, initialize_result(message.params)), .headers = {}};
  response.headers.push_back({"mcp-session-id", session.session_id});
  co_await reply.send(std::move(response));
}

aio::Task<> serve_request(Context& context, Message message, Caller caller, std::string client, bool takes_stream, net::HttpReply& reply) {
  HttpSink sink(context.deps.io, reply, takes_stream, {});
  Call call(context.deps.io, sink);
  const UnderWay::Entry entry(*context.mcp_calls, client, message.id, call);
  struct Watch {
    net::HttpReply& reply;
    ~Watch() {
      reply.on_gone([] {});
    }
  } watch{reply};
  reply.on_gone([&call] { call.waits.cancel(); });
  const auto id = message.id;
  const auto outcome = co_await answer(context, std::move(message), std::move(caller), call);
  co_await sink.finish(encode_answer(id, outcome), outcome ? 200 : outcome.error().http_status);
}

// A request, notification or answer of a client without handshake.
aio::Task<> stateless(Context& context, Request request, Message message, net::HttpReply& reply) {
  if (message.kind != MessageKind::request) co_return co_await reply.send({.status = 202, .content_type = "", .body = {}});
  const auto& http = request.http;
  const auto text = [](std::optional<std::string_view> header) { return header ? std::optional(base::trim(*header)) : std::nullopt; };
  const auto meta = read_meta(message, VersionHeader{text(http.header("mcp-protocol-version"))});
  if (!meta) co_return co_await reply.send(rpc_response(meta.error().http_status, message.id, meta.error()));
  if (const auto wrong = check_headers(message, http.header("mcp-method"), http.header("mcp-name")))
    co_return co_await reply.send(rpc_response(wrong->http_status, message.id, *wrong));
  Caller caller{.version = std::string(kStateless), .session_id = scope_of(request, kSharedSession), .takes_tasks = meta->takes_tasks};
  const bool streams = accepts_stream(http);
  request = {};
  // Without sessions ids of requests name nothing beyond their own: the reply's address tells two of them apart.
  auto client = "stateless " + std::to_string(reinterpret_cast<std::uintptr_t>(&reply));
  co_await serve_request(context, std::move(message), std::move(caller), std::move(client), streams, reply);
}

// Several messages at once, answered at once; long ones wait for each other.
aio::Task<> serve_batch(Context& context, Decoded decoded, Caller caller, net::HttpReply& reply) {
  HttpSink sink(context.deps.io, reply, false, {});
  Call call(context.deps.io, sink);
  std::string answers;
  for (auto& message : decoded.messages) {
    if (message && message->kind != MessageKind::request) continue;
    std::string text;
    if (!message) {
      text = encode_error(message.error().id, message.error().error);
    } else {
      const auto id = message->id;
      const auto outcome = co_await answer(context, std::move(*message), caller, call);
      text = encode_answer(id, outcome);
    }
    answers += (answers.empty() ? "[" : ",") + text;
  }
  if (answers.empty()) co_return co_await reply.send({.status = 202, .content_type = "", .body = {}});
  co_await reply.send({.body = answers + "]", .headers = {}});
}

// A message within a session.
aio::Task<> with_session(Context& context, Request request, Decoded decoded, net::HttpReply& reply) {
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  const auto version = std::string(base::trim(request.http.header("mcp-protocol-version").value_or(kWithBatches)));
  Caller caller{.version = version, .session_id = scope_of(request, session->session_id), .takes_tasks = false};
  const bool streams = accepts_stream(request.http);
  request = {};
  if (decoded.batch) {
    if (version != kWithBatches) co_return co_await reply.send(refusal(400, Code::invalid_request, "this revision has no batches"));
    co_return co_await serve_batch(context, std::move(decoded), std::move(caller), reply);
  }
  auto& message = *decoded.messages.front();
  if (message.kind == MessageKind::request)
    co_return co_await serve_request(context, std::move(message), std::move(caller), session->session_id, streams, reply);
  if (const auto* id = message.method == "notifications/cancelled" ? message.params.if_contains("requestId") : nullptr)
    context.mcp_calls->give_up(session->session_id, *id);
  co_await reply.send({.status = 202, .content_type = "", .body = {}});
}

aio::Task<> post(Context& context, Request request, net::HttpReply& reply) {
  auto refused = refuse_any(request);
  if (!refused) refused = refuse_post(request);
  if (refused) co_return co_await reply.send(std::move(*refused));
  auto decoded = decode(request.http.body);
  request.http.body = {};
  const auto& first = decoded.messages.front();
  if (!first && !(decoded.batch && decoded.messages.size() > 1))
    co_return co_await reply.send(rpc_response(400, first.error().id, first.error().error));
  if (decoded.batch) co_return co_await with_session(context, std::move(request), std::move(decoded), reply);
  if (is_stateless(*first, request.http.header("mcp-protocol-version"))) {
    auto message = std::move(*decoded.messages.front());
    co_return co_await stateless(context, std::move(request), std::move(message), reply);
  }
  if (first->method == "initialize" && first->kind == MessageKind::request) {
    auto message = std::move(*decoded.messages.front());
    co_return co_await initialize(context, std::move(message), reply);
  }
  co_await with_session(context, std::move(request), std::move(decoded), reply);
}

// Nothing is told to a client but in answer to its requests.
aio::Task<> get(Context&, Request request, net::HttpReply& reply) {
  if (auto refused = refuse_any(request)) co_return co_await reply.send(std::move(*refused));
  auto response = refusal(405, Code::invalid_request, "this server sends nothing unasked: POST your requests");
  response.headers.push_back({"allow", "POST, DELETE"});
  co_await reply.send(std::move(response));
}

// The session of the protocol ends; what was started in it goes on, as it would if the client had just left.
aio::Task<> end_session(Context& context, Request request, net::HttpReply& reply) {
  if (auto refused = refuse_any(request)) co_return co_await reply.send(std::move(*refused));
  const auto session = co_await find_session(context, request);
  if (!session) co_return co_await reply.send(session.error());
  co_await context.deps.store.change_session(session->session_id, {.name = {}, .state = {}, .metadata = std::string(kEnded)});
  co_await reply.send({.status = 204, .content_type = "", .body = {}});
}

}  // namespace

void add_mcp_routes(std::vector<Route>& routes) {
  routes.push_back({"POST", "/mcp", post});
  routes.push_back({"GET", "/mcp", get});
  routes.push_back({"DELETE", "/mcp", end_session});
}

}  // namespace api::mcp
