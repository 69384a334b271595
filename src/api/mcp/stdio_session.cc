#include "api/mcp/stdio_session.h"

#include <chrono>

#include "api/mcp/dispatch.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

namespace api::mcp {

namespace limits = base::limits;

namespace {
constexpr std::size_t kAnswersMax = 2 * limits::kMcpRequestsMax;  // requests under way, and refusals that wait to be written
constexpr auto kRoomPause = std::chrono::milliseconds(10);
}  // namespace

StdioSession::StdioSession(Context& context, std::string session_id, Sink& out)
    : context_(context), session_id_(std::move(session_id)), out_(out), tasks_(context.deps.io, [](const std::string& name, const std::string& what) {
        base::log::error("a request failed", {{"request", name}, {"reason", what}});
      }) {}

void StdioSession::tell(std::string text) { tasks_.spawn("answer", send(std::move(text))); }

aio::Task<> StdioSession::send(std::string text) { co_await out_.send(std::move(text)); }

void StdioSession::take_too_long() {
  const RpcError error{.code = Code::invalid_request, .message = "a message has at most " + std::to_string(limits::kMcpMessageBytesMax) + " bytes"};
  tell(encode_error(nullptr, error));
}

void StdioSession::take(std::string_view line) {
  if (base::trim(line).empty()) return;
  auto decoded = decode(line);
  if (decoded.batch && decoded.messages.front()) {
    if (version_ == kWithBatches)
      tasks_.spawn("batch", answer_batch(std::move(decoded)));
    else
      tell(encode_error(nullptr, {.code = Code::invalid_request, .message = "this revision has no batches"}));
    return;
  }
  auto& message = decoded.messages.front();
  if (!message) return tell(encode_error(message.error().id, message.error().error));
  take_message(std::move(*message));
}

void StdioSession::take_message(Message message) {
  if (message.kind == MessageKind::request) return take_request(std::move(message));
  if (const auto* id = message.method == "notifications/cancelled" ? message.params.if_contains("requestId") : nullptr)
    calls_.give_up(session_id_, *id);
}

void StdioSession::take_request(Message message) {
  Caller caller{.version = version_, .session_id = session_id_, .takes_tasks = false};
  if (is_stateless(message, std::nullopt)) {
    const auto meta = read_meta(message, std::nullopt);
    if (!meta) return tell(encode_error(message.id, meta.error()));
    caller.version = kStateless;
    caller.takes_tasks = meta->takes_tasks;
  } else if (message.method == "server/discover") {
    return tell(encode_error(message.id, read_meta(message, std::nullopt).error()));
  } else if (message.method == "initialize") {
    auto result = initialize_result(message.params);
    version_ = base::text_or_empty(result, "protocolVersion");
    return tell(encode_answer(message.id, std::move(result)));
  }
  if (tasks_.size() >= limits::kMcpRequestsMax)
    return tell(encode_error(message.id, {.code = Code::internal_error, .message = "too many requests are under way"}));
  if (calls_.knows(session_id_, message.id))
    return tell(encode_error(message.id, {.code = Code::invalid_request, .message = "this id is in use by a request under way"}));
  auto name = message.method;
  tasks_.spawn(std::move(name), answer_request(std::move(message), std::move(caller)));
}

aio::Task<> StdioSession::room() {
  while (tasks_.size() >= kAnswersMax) co_await context_.deps.time.sleep(kRoomPause);
}

// The request's answer, whatever happens.
aio::Task<std::string> StdioSession::perform(Message message, Caller caller, Call& call) {
  const UnderWay::Entry entry(calls_, session_id_, message.id, call);
  const auto id = message.id;
  std::string broken;
  try {
    const auto outcome = co_await answer(context_, std::move(message), std::move(caller), call);
    co_return encode_answer(id, outcome);
  } catch (const base::Broken& error) {
    broken = error.what();
  }
  base::log::error("a request met broken storage", {{"reason", broken}});
  co_return encode_error(id, {.code = Code::internal_error, .message = "Storage is unavailable; nothing was changed. Try again later."});
}

aio::Task<> StdioSession::answer_request(Message message, Caller caller) {
  Call call(context_.deps.io, out_);
  auto text = co_await perform(std::move(message), std::move(caller), call);
  // Who gives a request up wants no answer.
  if (!call.waits.cancelled()) co_await out_.send(std::move(text));
}

aio::Task<> StdioSession::answer_batch(Decoded decoded) {
  std::string answers;
  for (auto& message : decoded.messages) {
    if (message && message->kind != MessageKind::request) continue;
    std::string text;
    if (!message) {
      text = encode_error(message.error().id, message.error().error);
    } else {
      Call call(context_.deps.io, out_);
      Caller caller{.version = version_, .session_id = session_id_, .takes_tasks = false};
      text = co_await perform(std::move(*message), std::move(caller), call);
    }
    answers += (answers.empty() ? "[" : ",") + text;
  }
  if (!answers.empty()) co_await out_.send(answers + "]");
}

}  // namespace api::mcp
