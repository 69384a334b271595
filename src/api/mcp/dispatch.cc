#include "api/mcp/dispatch.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <optional>

#include "api/mcp/listen.h"
#include "api/mcp/tasks.h"
#include "api/mcp/tools.h"
#include "base/json.h"
#include "base/limits.h"

namespace api::mcp {

namespace limits = base::limits;

namespace {

constexpr std::int64_t kListTtlMs = 300'000;  // what is listed changes with a restart at most
constexpr std::string_view kInstructions =
    "Durable background work: background_run starts commands that go on without you and can be looked at from any later connection; "
    "run_start starts runs of the served agents. Use background_run for whatever takes longer than a few seconds.";

json::object server_info() { return {{"name", "outlast"}, {"title", "Outlast"}, {"version", OUTLAST_VERSION}}; }

json::object discovery() {
  json::object capabilities{{"tools", json::object()}, {"extensions", {{kTasksExtension, json::object()}}}};
  return {{"supportedVersions", supported_versions()},
          {"capabilities", std::move(capabilities)},
          {"instructions", kInstructions},
          {"ttlMs", kListTtlMs},
          {"cacheScope", "private"}};
}

json::object listing(const Context& context, const Caller& caller) {
  json::object out{{"tools", offered_tools(context, caller)}};
  if (!caller.is_stateless()) return out;
  out["ttlMs"] = kListTtlMs;
  out["cacheScope"] = "private";
  return out;
}

aio::Task<Answer> dispatch(Context& context, Message message, Caller caller, Call& call) {
  const auto& method = message.method;
  if (method == "tools/list") co_return listing(context, caller);
  if (method == "tools/call") co_return co_await call_tool(context, std::move(message.params), std::move(caller), call);
  if (caller.is_stateless() && method == "server/discover") co_return discovery();
  if (caller.is_stateless() && method == "subscriptions/listen") co_return co_await listen(context, std::move(message), std::move(caller), call);
  if (!caller.is_stateless() && method == "ping") co_return json::object();
  const int status = caller.is_stateless() ? 404 : 200;
  auto answered = co_await answer_task_method(context, message, std::move(caller), call);
  if (answered) co_return std::move(*answered);
  co_return refuse(Code::method_not_found, "Method not found: " + method, status);
}

struct Pending {
  explicit Pending(boost::asio::io_context& io) : answered(io) {}
  std::optional<Answer> answer;
  aio::Notifier answered;
};

aio::Task<> perform(Context& context, Message message, Caller caller, Call& call, Pending& pending) {
  auto outcome = co_await dispatch(context, std::move(message), std::move(caller), call);
  pending.answer = std::move(outcome);
  pending.answered.notify_all();
}

aio::Task<> tell_progress(Context& context, json::value token, Call& call, Pending& pending) {
  for (std::int64_t told = 1; !pending.answer; ++told) {
    co_await aio::wait_for(context.deps.time, pending.answered, std::chrono::milliseconds(limits::kMcpProgressMs));
    if (pending.answer) co_return;
    if (token.is_null()) {
      co_await call.sink.keep_alive();
      continue;
    }
    json::object params{{"progressToken", token}, {"progress", told}, {"message", "still at it; it goes on without you, too"}};
    co_await call.sink.send(encode_notification("notifications/progress", std::move(params)));
  }
}

json::value progress_token(const Message& message) {
  const auto* meta = base::object_field(message.params, "_meta");
  const auto* token = meta ? meta->if_contains("progressToken") : nullptr;
  return token && (token->is_string() || token->is_int64() || token->is_uint64()) ? *token : json::value();
}

// Every result without handshake says what it is and who says it.
void complete(json::object& result) {
  if (!result.contains("resultType")) result["resultType"] = "complete";
  auto& meta = result["_meta"];
  if (!meta.is_object()) meta = json::object();
  meta.get_object()["io.modelcontextprotocol/serverInfo"] = server_info();
}

}  // namespace

aio::Task<Answer> answer(Context& context, Message message, Caller caller, Call& call) {
  using namespace boost::asio::experimental::awaitable_operators;
  const bool stateless = caller.is_stateless();
  Pending pending(context.deps.io);
  auto token = progress_token(message);
  auto both = perform(context, std::move(message), std::move(caller), call, pending) && tell_progress(context, std::move(token), call, pending);
  co_await std::move(both);
  auto outcome = std::move(*pending.answer);
  if (stateless && outcome) complete(*outcome);
  co_return outcome;
}

json::object initialize_result(const json::object& params) {
  const auto version = negotiate(base::text_or_empty(params, "protocolVersion"));
  json::object capabilities{{"tools", {{"listChanged", false}}}};
  if (version == kWithTasks)
    capabilities["tasks"] = json::object{{"list", json::object()}, {"cancel", json::object()}, {"requests", {{"tools", {{"call", json::object()}}}}}};
  return {{"protocolVersion", version},
          {"capabilities", std::move(capabilities)},
          {"serverInfo", server_info()},
          {"instructions", kInstructions}};
}

}  // namespace api::mcp
