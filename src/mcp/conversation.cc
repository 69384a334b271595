#include "mcp/conversation.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "aio/notifier.h"
#include "base/limits.h"
#include "base/text.h"

namespace mcp {

namespace limits = base::limits;
using Kind = RequestFailure::Kind;

namespace {

constexpr std::size_t kMessageBytesMax = 4 << 10;  // of a server's error

std::unexpected<RequestFailure> failed(Kind kind, std::string message) {
  return std::unexpected(RequestFailure{.kind = kind, .message = std::move(message)});
}

RequestFailure refusal(const RpcError& error) {
  return {.kind = Kind::refused, .message = std::string(base::utf8_prefix(error.message, kMessageBytesMax)), .code = error.code};
}

aio::Task<std::string> listen(Transport& transport, Listener& listener) {
  try {
    co_return co_await transport.listen(listener);
  } catch (const base::Broken& broken) {
    co_return broken.what();
  }
}

}  // namespace

// Lives in the frame of request().
struct Conversation::Pending {
  explicit Pending(boost::asio::io_context& io) : changed(io) {}
  std::optional<Reply> reply;
  aio::Notifier changed;
  void settle(Reply with) {
    if (!reply) reply = std::move(with);
    changed.notify_all();
  }
};

// A request while somebody waits for it. Whoever leaves before the answer has come says so to the server.
class Conversation::Entry {
 public:
  Entry(Conversation& all, std::int64_t id, Pending& pending, bool may_be_cancelled)
      : all_(all), id_(id), pending_(pending), may_be_cancelled_(may_be_cancelled) {
    all_.pending_[id] = &pending;
  }
  ~Entry() {
    all_.pending_.erase(id_);
    if (!pending_.reply && may_be_cancelled_) all_.give_up(id_);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  Conversation& all_;
  std::int64_t id_;
  Pending& pending_;
  bool may_be_cancelled_;
};

Conversation::Conversation(boost::asio::io_context& io, aio::Time& time, aio::TaskGroup& tasks,
                           std::unique_ptr<Transport> transport)
    : io_(io), time_(time), tasks_(tasks), transport_(std::move(transport)), listening_(io) {}

aio::Task<> Conversation::hold(std::shared_ptr<Conversation> self) {
  auto task = listen(*self->transport_, *self);
  auto why = co_await self->listening_.run(std::move(task));
  self->hang_up(std::move(why).value_or("it was closed"));
  co_await self->transport_->close();
}

void Conversation::hang_up(std::string why) {
  if (over_) return;
  over_ = true;
  why_ = std::move(why);
  lose_all(why_);
  listening_.cancel();
}

void Conversation::lose_all(const std::string& why) {
  for (const auto& [id, pending] : pending_) pending->settle(failed(Kind::lost, why));
}

aio::Task<Reply> Conversation::request(std::string method, json::object params, std::int64_t ms) {
  using namespace boost::asio::experimental::awaitable_operators;
  if (over_) co_return failed(Kind::not_taken, why_);
  const auto id = next_id_++;
  Pending pending(io_);
  const Entry entry(*this, id, pending, method != "initialize");
  auto first = deliver(encode_request(id, method, std::move(params)), pending) || settled(pending) ||
               time_.sleep(std::chrono::milliseconds(ms));
  co_await std::move(first);
  if (pending.reply) co_return *pending.reply;
  co_return failed(Kind::timed_out, "it did not answer within " + std::to_string((ms + 999) / 1000) + " s");
}

// Does not come back before there is a reply.
aio::Task<> Conversation::deliver(std::string text, Pending& pending) {
  base::Result<> sent;
  try {
    sent = co_await transport_->send(std::move(text), *this);
  } catch (const base::Broken& broken) {
    sent = base::fail(base::Errc::network, broken.what());
  }
  if (!sent) {
    const bool gone = sent.error().code == base::Errc::lease_lost;
    const bool taken = !gone && sent.error().code != base::Errc::unavailable;
    pending.settle(failed(taken ? Kind::lost : Kind::not_taken, sent.error().message));
    if (gone) hang_up(sent.error().message);
  } else if (transport_->answers_while_sending()) {
    pending.settle(failed(Kind::lost, "it closed the connection without an answer"));
  }
  co_await settled(pending);
}

aio::Task<> Conversation::settled(Pending& pending) {
  while (!pending.reply) co_await pending.changed.wait();
}

// What waits for no answer must not wait for a server that takes nothing either.
aio::Task<> Conversation::notify(std::string text) {
  using namespace boost::asio::experimental::awaitable_operators;
  if (over_) co_return;
  auto either = transport_->send(std::move(text), *this) || time_.sleep(std::chrono::milliseconds(limits::kMcpFarewellMs));
  co_await std::move(either);
}

void Conversation::say(std::string text) {
  ++saying_;
  if (!tasks_.spawn("say", saying(shared_from_this(), std::move(text)))) --saying_;
}

aio::Task<> Conversation::saying(std::shared_ptr<Conversation> self, std::string text) {
  struct Said {
    Conversation& conversation;
    ~Said() { --conversation.saying_; }
  } said{*self};
  co_await self->notify(std::move(text));
}

void Conversation::give_up(std::int64_t id) {
  if (over_) return;
  say(encode_notification("notifications/cancelled", {{"requestId", id}, {"reason", "it is not waited for any more"}}));
}

void Conversation::received(std::string_view text) {
  auto decoded = decode(text);
  for (auto& message : decoded.messages) {
    if (message)
      take(std::move(*message));
    else if (++noise_ > limits::kMcpNoiseLinesMax)
      hang_up("it writes what is no MCP");
  }
}

void Conversation::received_too_long() {
  lose_all("it sent a message of more than " + std::to_string(limits::kMcpMessageBytesMax) +
           " bytes, which may have been the answer");
}

void Conversation::take(Message message) {
  if (message.kind == MessageKind::response) return take_answer(message);
  if (message.kind == MessageKind::request) return answer(message);
  if (message.method == "notifications/tools/list_changed") tools_changed_ = true;
}

// An answer that nobody waits for is none of ours, or late.
void Conversation::take_answer(const Message& message) {
  const auto* id = message.id.if_int64();
  const auto at = id ? pending_.find(*id) : pending_.end();
  if (at == pending_.end()) return;
  auto& pending = *at->second;
  if (!message.answer) return pending.settle(failed(Kind::lost, "its answer cannot be read"));
  if (!*message.answer) return pending.settle(std::unexpected(refusal(message.answer->error())));
  pending.settle(**message.answer);
}

// Nothing is offered to servers but a sign of life.
void Conversation::answer(const Message& message) {
  if (saying_ >= limits::kMcpServerRequestsMax) return hang_up("it asks more than it lets be answered");
  if (message.method == "ping") return say(encode_answer(message.id, json::object()));
  say(encode_answer(message.id, refuse(Code::method_not_found, "Method not found: " + message.method)));
}

}  // namespace mcp
