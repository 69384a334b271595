// `codex app-server`: JSON-RPC, one object per line each way. Our requests' ids are words that say what they were for, so that
// a response can be read without knowing what was sent.
#include <algorithm>
#include <deque>

#include "base/json.h"
#include "base/text.h"
#include "harness/codex.h"

namespace harness {

namespace {

using run::TurnOutcome;

constexpr std::string_view kTurn = "turn:", kSteer = "steer:";
constexpr std::size_t kAskedMax = 1'000;
constexpr std::size_t kWaitingMax = 1'000;
constexpr int kHistoryItems = 100;  // of a conversation's end: more than a turn that was cut says of its messages

std::string request(std::string_view id, std::string_view method, json::object params) {
  return line_of({{"jsonrpc", "2.0"}, {"id", text_in(id)}, {"method", method}, {"params", std::move(params)}});
}

// The server gives the id back where the message is part of the conversation.
json::object message_params(std::string_view thread_id, std::string_view message_id, std::string_view text) {
  return {{"threadId", thread_id}, {"clientUserMessageId", text_in(message_id)}, {"input", json::array{json::object{{"type", "text"}, {"text", text_in(text)}}}}};
}

run::Usage usage_of(const json::object& counts) {
  return {.input_tokens = count_in(counts, "inputTokens"),
          .output_tokens = count_in(counts, "outputTokens"),
          .reasoning_tokens = count_in(counts, "reasoningOutputTokens"),
          .cache_read_tokens = count_in(counts, "cachedInputTokens")};
}

// An error as the server tells it: its text, and a kind that is more reliable than words.
Failure failure_in(const json::object& error) {
  auto text = base::text_or_empty(error, "message");
  const auto* info = error.if_contains("codexErrorInfo");
  std::optional<std::int64_t> status;
  std::string kind;
  if (info && info->is_string()) kind = std::string_view(info->get_string());
  if (const auto* object = info ? info->if_object() : nullptr; object && !object->empty()) {
    kind = std::string_view(object->begin()->key());
    if (const auto* details = object->begin()->value().if_object()) status = base::int_field(*details, "httpStatusCode");
  }
  if (kind == "usageLimitExceeded") status = 429;
  if (kind == "unauthorized") status = 401;
  if (kind == "internalServerError" || kind == "serverOverloaded") status = 500;
  if (kind == "contextWindowExceeded" || kind == "badRequest" || kind == "sandboxError") status = 400;
  const bool is_broken_off = kind.starts_with("responseStream") || kind == "httpConnectionFailed" || kind == "responseTooManyFailedAttempts";
  auto failure = failure_of(status, text);
  if (failure.outcome == TurnOutcome::failed && is_broken_off && !status) failure.outcome = TurnOutcome::again;
  return failure;
}

struct Asked {
  json::value request_id;  // a number or a string, to be given back as it came
  std::string item_id;
};

class CodexServerDecoder final : public Decoder {
 public:
  explicit CodexServerDecoder(const Start& start) : start_(start), usage_is_inherited_(start.resumes) {}

  void line(std::string_view text, std::vector<Told>& out) override {
    const auto object = object_in(text);
    if (!object || !read(*object, out)) out.push_back(Unknown());
  }

  run::Usage open_usage() const override { return turn_id_.empty() ? run::Usage() : difference(usage_, usage_before_); }

  std::string answer(std::string_view call_id, bool allow, std::string_view) const override {
    const auto asked = asked_.find(std::string(call_id));
    if (asked == asked_.end()) return {};
    return line_of({{"jsonrpc", "2.0"}, {"id", asked->second.request_id}, {"result", json::object{{"decision", allow ? "accept" : "decline"}}}});
  }

  std::string message(std::string_view message_id, std::string_view text) const override {
    // Before its first turn has begun it may take a message for that turn or for one of its own.
    if (!is_ready_ || (!has_turned_ && !start_.prompt.empty())) return {};
    auto params = message_params(thread_id_, message_id, text);
    if (turn_id_.empty()) return request(std::string(kTurn) + std::string(message_id), "turn/start", std::move(params));
    params["expectedTurnId"] = turn_id_;
    return request(std::string(kSteer) + std::string(message_id), "turn/steer", std::move(params));
  }

  std::string interrupt(std::string_view key) const override {
    if (turn_id_.empty()) return {};
    return request(key, "turn/interrupt", {{"threadId", thread_id_}, {"turnId", turn_id_}});
  }

 private:
  bool read(const json::object& line, std::vector<Told>& out) {
    const auto method = base::string_field(line, "method");
    const auto* id = line.if_contains("id");
    if (!method) return id && id->is_string() && read_response(std::string(std::string_view(id->get_string())), line, out);
    const auto* params = base::object_field(line, "params");
    if (id && (id->is_string() || id->is_number())) return read_request(*method, *id, params ? *params : json::object(), out);
    return params && read_notification(*method, *params, out);
  }

  // --- responses to our requests ---
  bool read_response(const std::string& id, const json::object& line, std::vector<Told>& out) {
    const auto* error = base::object_field(line, "error");
    const auto* result = base::object_field(line, "result");
    if (!error && !result) return false;
    if (id == "initialize") {
      if (error) return fail(*error, out);
      version_ = version_in(base::text_or_empty(*result, "userAgent"));
      out.push_back(Reply{.key = "initialized", .line = line_of({{"jsonrpc", "2.0"}, {"method", "initialized"}})});
      out.push_back(Reply{.key = "thread", .line = thread_request()});
    } else if (id == "thread") {
      return error ? fail(*error, out) : read_thread(*result, out);
    } else if (id == "history") {
      return read_history(result, out);
    } else if (id.starts_with(kTurn)) {
      if (error) return refuse(id.substr(kTurn.size()), *error, out);
      wait_for(id.substr(kTurn.size()));
      if (const auto* turn = base::object_field(*result, "turn"); turn && turn_id_.empty()) turn_id_ = id_in(*turn, "id").value_or("");
    } else if (id.starts_with(kSteer)) {
      // The turn may have ended meanwhile.
      if (error) out.push_back(Refused{id.substr(kSteer.size())});
      else wait_for(id.substr(kSteer.size()));
    }
    return true;
  }

  // A request without which nothing goes on has failed.
  bool fail(const json::object& error, std::vector<Told>& out) {
    end_turn(failure_in(error), base::text_or_empty(error, "message"), out);
    return true;
  }

  // The first message is what the process is there for.
  bool refuse(const std::string& message_id, const json::object& error, std::vector<Told>& out) {
    if (message_id == start_.message_id || turn_id_.empty()) return fail(error, out);
    out.push_back(Refused{message_id});
    return true;
  }

  std::string thread_request() const {
    json::object params{{"approvalPolicy", "untrusted"}, {"sandbox", "workspace-write"}};
    if (!start_.directory.empty()) params["cwd"] = text_in(start_.directory);
    if (!start_.model.empty()) params["model"] = text_in(start_.model);
    if (!start_.resumes) return request("thread", "thread/start", std::move(params));
    params["threadId"] = start_.session_id;
    params["excludeTurns"] = true;  // a long conversation would not fit into a line
    return request("thread", start_.forks ? "thread/fork" : "thread/resume", std::move(params));
  }

  bool read_thread(const json::object& result, std::vector<Told>& out) {
    const auto* thread = base::object_field(result, "thread");
    const auto id = thread ? session_id_in(*thread, "id") : std::nullopt;
    if (!id) return false;
    thread_id_ = *id;
    out.push_back(SessionNamed{.session_id = *id, .model = base::text_or_empty(result, "model"), .version = version_});
    if (!start_.resumes || start_.forks) return begin(out);
    // A process before this one may have taken a message and not lived to tell.
    json::object params{{"threadId", *id}, {"limit", kHistoryItems}, {"sortDirection", "desc"}};
    out.push_back(Reply{.key = "history", .line = request("history", "thread/items/list", std::move(params))});
    return true;
  }

  // The end of the conversation; null where it is not told: then it is as if nothing of ours were in it.
  bool read_history(const json::object* result, std::vector<Told>& out) {
    const auto* entries = result ? base::array_field(*result, "data") : nullptr;
    bool has_prompt = false;
    for (const auto& entry : entries ? *entries : json::array()) {
      const auto* listed = entry.if_object();
      const auto* item = listed ? base::object_field(*listed, "item") : nullptr;
      const auto id = item && codex_item_type(*item) == "user_message" ? id_in(*item, "clientId") : std::nullopt;
      if (!id) continue;
      has_prompt = has_prompt || *id == start_.message_id;
      out.push_back(Heard{*id});
    }
    if (!has_prompt) return begin(out);
    is_ready_ = has_turned_ = true;
    out.push_back(HandledMessage{start_.message_id});
    return true;
  }

  bool begin(std::vector<Told>& out) {
    is_ready_ = true;
    if (start_.prompt.empty()) return true;
    auto params = message_params(thread_id_, start_.message_id, start_.prompt);
    if (!start_.effort.empty()) params["effort"] = text_in(start_.effort);
    out.push_back(Reply{.key = "message:" + start_.message_id,
                        .line = request(std::string(kTurn) + start_.message_id, "turn/start", std::move(params))});
    return true;
  }

  // "name/1.2.3 (...)"
  static std::string version_in(std::string_view agent) {
    const auto slash = agent.find('/');
    if (slash == agent.npos) return {};
    const auto rest = agent.substr(slash + 1);
    return std::string(rest.substr(0, std::min(rest.find(' '), rest.size())));
  }

  // --- what the server asks ---
  bool read_request(std::string_view method, const json::value& id, const json::object& params, std::vector<Told>& out) {
    if (method == "item/commandExecution/requestApproval" || method == "item/fileChange/requestApproval") {
      ask(method, id, params, out);
      return true;
    }
    // It would wait for an answer for ever. What can be refused in its own words is; nobody here has more to say.
    json::object answer{{"jsonrpc", "2.0"}, {"id", id}};
    if (method == "mcpServer/elicitation/request") answer["result"] = json::object{{"action", "decline"}, {"content", nullptr}};
    else if (method == "item/permissions/requestApproval") answer["result"] = json::object{{"permissions", json::object()}};
    else answer["error"] = json::object{{"code", -32601}, {"message", "not supported"}};
    out.push_back(Reply{.key = "refused:" + base::to_text(id), .line = line_of(answer)});
    return true;
  }

  void ask(std::string_view method, const json::value& id, const json::object& params, std::vector<Told>& out) {
    const auto item_id = id_in(params, "itemId").value_or("");
    // One item may ask more than once; then each question has an id of its own.
    auto call_id = id_in(params, "approvalId").value_or(item_id);
    if (call_id.empty()) call_id = "request:" + base::to_text(id);
    run::ToolCall call{.id = call_id, .name = method.starts_with("item/command") ? "shell" : "apply_patch", .arguments = "{}"};
    if (const auto command = base::string_field(params, "command")) call.arguments = line_of({{"command", *command}});
    else if (const auto* begun = items_.call(item_id)) call.arguments = begun->arguments;
    if (asked_.size() >= kAskedMax && !asked_.contains(call_id)) asked_.erase(asked_.begin());
    asked_.insert_or_assign(call_id, Asked{.request_id = id, .item_id = item_id});
    out.push_back(Asks{.call = std::move(call), .reason = base::text_or_empty(params, "reason")});
  }

  // --- what it tells ---
  bool read_notification(std::string_view method, const json::object& params, std::vector<Told>& out) {
    // Agents that this one has started have threads of their own.
    if (const auto thread = base::string_field(params, "threadId"); thread && !thread_id_.empty() && *thread != thread_id_) return true;
    if (method == "turn/started") return read_turn_start(params, out);
    if (method == "turn/completed") return read_turn_end(params, out);
    if (method == "item/started" || method == "item/completed") return read_item(params, method == "item/started", out);
    if (method == "thread/tokenUsage/updated") return read_usage(params);
    if (method == "serverRequest/resolved") return read_resolved(params);
    if (method == "account/rateLimits/updated") return read_limits(params);
    if (method == "error") return read_error(params, out);
    // Pieces of what comes whole later, and the state of things that say enough by themselves.
    return method.starts_with("item/") || method.starts_with("thread/") || method.starts_with("turn/") || method.starts_with("account/");
  }

  bool read_turn_start(const json::object& params, std::vector<Told>& out) {
    const auto* turn = base::object_field(params, "turn");
    const auto id = turn ? id_in(*turn, "id") : std::nullopt;
    if (!id) return false;
    turn_id_ = *id;
    has_turned_ = true;
    items_.clear();
    last_error_ = {};
    out.push_back(TurnBegan());
    return true;
  }

  bool read_item(const json::object& params, bool begins, std::vector<Told>& out) {
    const auto* item = base::object_field(params, "item");
    if (!item) return false;
    // The user's words, as the conversation has them: with the id that we gave them, else (older versions) in the order in which
    // they were taken.
    if (!begins && codex_item_type(*item) == "user_message") {
      hear(id_in(*item, "clientId"), out);
      return true;
    }
    if (!begins) {
      const auto id = id_in(*item, "id").value_or("");
      std::erase_if(asked_, [&](const auto& asked) { return asked.second.item_id == id; });
    }
    return begins ? items_.began(*item, out) : items_.completed(*item, out);
  }

  void wait_for(std::string message_id) {
    if (std::ranges::find(heard_, message_id) != heard_.end()) return;
    if (waiting_.size() < kWaitingMax && !message_id.empty()) waiting_.push_back(std::move(message_id));
  }

  void hear(std::optional<std::string> id, std::vector<Told>& out) {
    if (!id && waiting_.empty()) return;
    if (!id) id = waiting_.front();
    // The answer to its request may come after it.
    if (std::erase(waiting_, *id) == 0 && std::ranges::find(heard_, *id) != heard_.end()) return;
    out.push_back(Heard{*id});
    heard_.push_back(*std::move(id));
  }

  bool read_usage(const json::object& params) {
    const auto* usage = base::object_field(params, "tokenUsage");
    const auto& from = usage ? *usage : params;
    const auto* total = base::object_field(from, "total");
    if (!total) return false;
    usage_ = usage_of(*total);
    // The figures count the whole thread. Of one that is gone on with, the first ones tell what was there before: all, if no
    // turn is under way, else all but this request's.
    if (usage_is_inherited_) {
      const auto* last = base::object_field(from, "last");
      usage_before_ = turn_id_.empty() || !last ? usage_ : difference(usage_, usage_of(*last));
    }
    usage_is_inherited_ = false;
    return true;
  }

  bool read_resolved(const json::object& params) {
    const auto* id = params.if_contains("requestId");
    if (!id) return false;
    std::erase_if(asked_, [&](const auto& asked) { return asked.second.request_id == *id; });
    return true;
  }

  // When the limits that are used up end. The failure that follows names only a time of the day.
  bool read_limits(const json::object& params) {
    constexpr double kUsedUpPercent = 100;
    const auto* limits = base::object_field(params, "rateLimits");
    limit_ends_s_ = 0;
    for (const auto* name : {"primary", "secondary"})
      if (const auto* window = limits ? base::object_field(*limits, name) : nullptr; window && base::number_field(*window, "usedPercent").value_or(0) >= kUsedUpPercent)
        limit_ends_s_ = std::max(limit_ends_s_, count_in(*window, "resetsAt"));
    return limits != nullptr;
  }

  bool read_error(const json::object& params, std::vector<Told>& out) {
    const auto* error = base::object_field(params, "error");
    if (!error) return false;
    if (base::bool_field(params, "willRetry") == true)
      out.push_back(Retries{.limited = failure_in(*error).outcome == TurnOutcome::limited, .reason = base::text_or_empty(*error, "message")});
    else
      last_error_ = *error;
    return true;
  }

  bool read_turn_end(const json::object& params, std::vector<Told>& out) {
    const auto* turn = base::object_field(params, "turn");
    if (!turn) return false;
    if (const auto id = id_in(*turn, "id"); id && !turn_id_.empty() && *id != turn_id_) return true;
    const auto status = base::string_field(*turn, "status");
    const auto* error = base::object_field(*turn, "error");
    if (!error) error = &last_error_;
    // A turn that ended in any way has its messages in the conversation.
    while (!waiting_.empty()) hear(std::nullopt, out);
    if (status == "completed") end_turn({.outcome = TurnOutcome::done}, "", out);
    else if (status == "interrupted") end_turn({.outcome = TurnOutcome::interrupted}, "interrupted", out);
    else end_turn(failure_in(*error), base::text_or_empty(*error, "message"), out);
    if (status == "completed")
      for (auto& id : heard_) out.push_back(HandledMessage{std::move(id)});
    heard_.clear();
    return true;
  }

  void end_turn(const Failure& failure, std::string_view error, std::vector<Told>& out) {
    has_turned_ = true;
    TurnEnded ended{.turn = {.outcome = failure.outcome, .text = items_.said()}, .limited_for_ms = failure.for_ms};
    ended.turn.error = std::string(base::utf8_prefix(error, kErrorBytesMax));
    ended.turn.until_ms = failure.until_ms;
    if (failure.outcome == TurnOutcome::limited && !failure.until_ms && !failure.for_ms) ended.turn.until_ms = limit_ends_s_ * 1'000;
    ended.turn.usage = difference(usage_, usage_before_);
    usage_before_ = usage_;
    turn_id_.clear();
    items_.clear();
    asked_.clear();
    out.push_back(std::move(ended));
  }

  const Start start_;
  std::string version_, thread_id_;
  std::string turn_id_;              // of the turn under way; "" none
  bool is_ready_ = false;            // it can be given messages
  bool has_turned_ = false;          // a turn has begun, or could not
  std::deque<std::string> waiting_;  // messages that the server took, in that order, until the conversation shows them
  std::vector<std::string> heard_;   // in this turn
  std::map<std::string, Asked> asked_;
  bool usage_is_inherited_;
  run::Usage usage_, usage_before_;  // of the thread: now, and at the end of the turn before
  std::int64_t limit_ends_s_ = 0;    // of the limits that are used up; 0: none, or not known
  json::object last_error_;
  CodexItems items_;
};

}  // namespace

Command codex_server_command(const Start&) {
  json::object client{{"name", "outlast"}, {"title", "Outlast"}, {"version", OUTLAST_VERSION}};
  return {.argv = {"codex", "app-server"},
          .takes_input = true,
          .first = {{.key = "initialize", .line = request("initialize", "initialize", {{"clientInfo", std::move(client)}})}},
          .stays = true};
}

std::unique_ptr<Decoder> codex_server_decoder(const Start& start) { return std::make_unique<CodexServerDecoder>(start); }

}  // namespace harness
