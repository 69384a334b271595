#include "mcp/client.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "mcp/revision.h"

namespace mcp {

namespace limits = base::limits;
using Kind = RequestFailure::Kind;

namespace {

constexpr std::int64_t kProvenMs = 30'000;  // a connection that held this long is no failed attempt
constexpr std::int64_t kBackoffMs = 1'000;  // before the third attempt; the second is made at once
constexpr std::int64_t kLookMs = 20;
constexpr std::size_t kSecretBytesMin = 4;  // shorter values are no secrets, and stand everywhere
constexpr std::size_t kTextBytesMax = 4 << 10;

json::object introduction() {
  return {{"protocolVersion", kWithTasks},
          {"capabilities", json::object()},
          {"clientInfo", {{"name", "outlast"}, {"title", "Outlast"}, {"version", OUTLAST_VERSION}}}};
}

std::string without(const std::vector<std::string>& secrets, std::string_view text) {
  std::string out = base::utf8_lossy(base::utf8_prefix(text, kTextBytesMax));
  for (const auto& secret : secrets) {
    if (secret.size() < kSecretBytesMin) continue;
    for (auto at = out.find(secret); at != out.npos; at = out.find(secret, at + 3)) out.replace(at, secret.size(), "***");
  }
  return out;
}

std::string why_of(const RequestFailure& failure) {
  if (failure.kind != Kind::refused) return failure.message;
  return "it answered: " + failure.message + " (" + std::to_string(static_cast<int>(failure.code)) + ")";
}

std::unexpected<base::Error> unusable(std::string why) { return base::fail(base::Errc::unavailable, std::move(why)); }

}  // namespace

Client::Client(boost::asio::io_context& io, aio::Time& time, ClientOptions options, Dial dial)
    : io_(io),
      time_(time),
      options_(std::move(options)),
      dial_(std::move(dial)),
      changed_(io),
      tasks_(io, [this](const std::string& name, const std::string& what) { note_failure(name + ": " + what); }) {}

std::unexpected<std::string> Client::said(std::string_view text) const {
  return std::unexpected("MCP server '" + options_.server + "': " + without(options_.secrets, text));
}

std::unexpected<std::string> Client::words(const RequestFailure& failure) const {
  switch (failure.kind) {
    case Kind::refused: return said(why_of(failure));
    case Kind::not_taken: return said(failure.message + "; nothing was done");
    case Kind::timed_out: return said(failure.message + "; the call was cancelled, its outcome is unknown");
    case Kind::lost: return said(failure.message + ". The outcome of the call is unknown; it may have had effects.");
  }
  return said(failure.message);
}

void Client::note_failure(std::string why) {
  why_ = without(options_.secrets, why);
  const auto pause_ms =
      failures_ == 0 ? 0 : std::min(kBackoffMs << std::min<std::int64_t>(failures_ - 1, 10), limits::kMcpBackoffMaxMs);
  next_try_ms_ = time_.steady_ms() + pause_ms;
  ++failures_;
}

bool Client::is_live() {
  if (!live_) return false;
  if (!live_->is_over()) return true;
  if (time_.steady_ms() - live_since_ms_ >= kProvenMs) failures_ = 0;
  note_failure(live_->why());
  live_.reset();
  return false;
}

void Client::prepare() {
  if (!closed_ && !is_live() && !connecting_ && time_.steady_ms() >= next_try_ms_)
    connecting_ = tasks_.spawn("connect", connect());
}

aio::Task<base::Result<Client::Live>> Client::connected(std::int64_t wait_ms) {
  prepare();
  const auto end = time_.steady_ms() + wait_ms;
  while (connecting_) {
    const auto left = end - time_.steady_ms();
    if (left <= 0) co_return unusable("it is starting, and has not answered yet");
    co_await aio::wait_for(time_, changed_, std::chrono::milliseconds(left));
  }
  if (closed_) co_return unusable("it was closed");
  if (is_live()) co_return live_;
  co_return unusable(time_.steady_ms() < next_try_ms_ ? why_ + "; it is tried again later" : why_);
}

aio::Task<> Client::connect() {
  struct Done {
    Client& client;
    ~Done() {
      client.opening_.reset();
      client.connecting_ = false;
      client.changed_.notify_all();
    }
  } done{*this};
  const auto live = std::make_shared<Conversation>(io_, time_, tasks_, dial_());
  if (!tasks_.spawn("conversation", Conversation::hold(live))) co_return;
  opening_ = live;
  const auto begun = co_await begin(*live);
  if (!begun) {
    note_failure(begun.error().message);
    live->hang_up(why_);
    co_return;
  }
  live_ = live;
  live_since_ms_ = time_.steady_ms();
}

aio::Task<base::Result<>> Client::begin(Conversation& conversation) {
  const auto reply = co_await conversation.request("initialize", introduction(), limits::kMcpStartMs);
  if (!reply) co_return unusable(why_of(reply.error()));
  const auto version = base::text_or_empty(*reply, "protocolVersion");
  if (!has_handshake(version))
    co_return unusable("it speaks no revision of MCP that is known here: '" + version.substr(0, 32) + "'");
  const auto* capabilities = base::object_field(*reply, "capabilities");
  takes_tasks_ = version == kWithTasks && capabilities && offers_tasks(*capabilities);
  conversation.agreed(version);
  co_await conversation.notify(encode_notification("notifications/initialized", {}));
  if (capabilities && capabilities->contains("tools")) co_return co_await list(conversation);
  list_ = std::make_shared<const ToolList>();
  co_return base::Result<>{};
}

aio::Task<base::Result<>> Client::list(Conversation& conversation) {
  ToolListReader reader(options_.server);
  for (std::optional<std::string> cursor, next;; cursor = next) {
    json::object params;
    if (cursor) params["cursor"] = *cursor;
    const auto reply = co_await conversation.request("tools/list", std::move(params), limits::kMcpConnectMs);
    if (!reply) co_return unusable("its tools cannot be listed: " + why_of(reply.error()));
    auto page = reader.add_page(*reply);
    if (!page) co_return std::unexpected(page.error());
    next = std::move(*page);
    if (!next) break;
  }
  list_ = std::make_shared<const ToolList>(std::move(reader).finish());
  co_return base::Result<>{};
}

// A list that cannot be had leaves the one before.
aio::Task<> Client::list_again(Live live) {
  co_await list(*live);
  listing_ = false;
  changed_.notify_all();
}

aio::Task<base::Result<std::shared_ptr<const ToolList>>> Client::tools(std::int64_t wait_ms) {
  const auto end = time_.steady_ms() + wait_ms;
  const auto live = co_await connected(wait_ms);
  if (!live) co_return std::unexpected(live.error());
  if (!listing_ && (*live)->tools_changed()) listing_ = tasks_.spawn("list", list_again(*live));
  while (listing_ && time_.steady_ms() < end)
    co_await aio::wait_for(time_, changed_, std::chrono::milliseconds(end - time_.steady_ms()));
  co_return list_;
}

aio::Task<UseOutcome> Client::use(ToolUse use) {
  for (bool again = false;; again = true) {
    const auto live = co_await connected(options_.call_ms);
    if (!live) co_return said("it cannot be used: " + live.error().message);
    const auto support = use.tool.tasks;
    const bool as_task =
        takes_tasks_ && (support == TaskSupport::required || (support == TaskSupport::optional && use.in_background));
    json::object params{{"name", use.tool.name}, {"arguments", use.arguments}};
    if (as_task) params["task"] = {{"ttl", limits::kMcpTaskMsMax}};
    auto reply = co_await (*live)->request("tools/call", std::move(params), options_.call_ms);
    if (!reply && reply.error().kind == Kind::not_taken && !again) continue;
    if (!reply) co_return words(reply.error());
    auto task = as_task ? created_task(*reply) : std::nullopt;
    if (task) co_return co_await follow(std::move(*task));
    co_return std::move(*reply);
  }
}

aio::Task<Reply> Client::ask(std::string method, json::object params, std::int64_t ms) {
  for (bool again = false;; again = true) {
    const auto live = co_await connected(ms);
    if (!live) co_return std::unexpected(RequestFailure{.kind = Kind::not_taken, .message = live.error().message});
    auto reply = co_await (*live)->request(method, params, ms);
    if (!reply && reply.error().kind == Kind::not_taken && !again) continue;
    co_return reply;
  }
}

aio::Task<> Client::close() {
  if (opening_) opening_->hang_up("it was closed");
  tasks_.close();
  // What is being said to the server gets a moment, such as that nobody waits for an answer any more.
  const auto end = time_.steady_ms() + limits::kMcpFarewellMs;
  while (tasks_.size() > (live_ ? 1 : 0) && time_.steady_ms() < end) co_await time_.sleep(std::chrono::milliseconds(kLookMs));
  closed_ = true;
  if (live_) live_->hang_up("it was closed");
  co_await tasks_.join();
}

}  // namespace mcp
