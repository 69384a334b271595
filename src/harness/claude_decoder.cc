// What Claude Code's lines say (--output-format stream-json, with the control protocol on the same channel).
#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "harness/claude.h"
#include "harness/failure.h"
#include "harness/json_line.h"

namespace harness {

namespace {

using run::TurnOutcome;

// Calls and questions that are open at a time. Of more than these, some are forgotten: their ends then name no call.
constexpr std::size_t kOpenMax = 1'000;

struct Asked {
  std::string request_id;
  std::string input;  // JSON text of an object
};

template <typename Value>
void remember(std::map<std::string, Value>& known, const std::string& id, Value value) {
  if (known.size() >= kOpenMax && !known.contains(id)) known.erase(known.begin());
  known.insert_or_assign(id, std::move(value));
}

// The text of a tool's result: a string, or blocks of which only the text ones can be shown.
std::string result_text(const json::object& block) {
  if (const auto text = base::string_field(block, "content")) return std::string(*text);
  std::string out;
  const auto* parts = base::array_field(block, "content");
  if (!parts) return out;
  for (const auto& part : *parts) {
    const auto* object = part.if_object();
    if (!object) continue;
    const auto type = base::text_or_empty(*object, "type");
    const auto text = type == "text" ? base::text_or_empty(*object, "text") : "[" + type + "]";
    out += (out.empty() ? "" : "\n") + text;
  }
  return out;
}

std::string input_of(const json::object& object) {
  const auto* input = base::object_field(object, "input");
  return input ? line_of(*input) : "{}";
}

run::Usage usage_of(const json::object& result) {
  const auto* usage = base::object_field(result, "usage");
  if (!usage) return {};
  return {.input_tokens = count_in(*usage, "input_tokens"),
          .output_tokens = count_in(*usage, "output_tokens"),
          .cache_read_tokens = count_in(*usage, "cache_read_input_tokens"),
          .cache_write_tokens = count_in(*usage, "cache_creation_input_tokens")};
}

std::string errors_in(const json::object& result) {
  std::string out;
  const auto* errors = base::array_field(result, "errors");
  if (!errors) return out;
  for (const auto& error : *errors)
    if (const auto* text = error.if_string()) out += (out.empty() ? "" : "\n") + std::string(std::string_view(*text));
  return out;
}

std::string control_response(const std::string& request_id, std::string_view outcome, json::object fields) {
  json::object response{{"subtype", outcome}, {"request_id", request_id}};
  for (auto& field : fields) response[field.key()] = std::move(field.value());
  return line_of({{"type", "control_response"}, {"response", std::move(response)}});
}

class ClaudeDecoder final : public Decoder {
 public:
  explicit ClaudeDecoder(bool resumes) : cost_is_inherited_(resumes) {}

  void line(std::string_view text, std::vector<Told>& out) override {
    const auto object = object_in(text);
    if (!object || !read(*object, out)) out.push_back(Unknown());
  }

  run::Usage open_usage() const override {
    run::Usage all;
    for (const auto& [message, used] : used_) all += used;
    return all;
  }

  std::string answer(std::string_view call_id, bool allow, std::string_view note) const override {
    const auto asked = asked_.find(std::string(call_id));
    if (asked == asked_.end()) return {};
    json::object decision;
    if (allow) {
      // Some versions refuse an answer without it.
      const auto input = base::parse_json(asked->second.input);
      decision = {{"behavior", "allow"}, {"updatedInput", input ? *input : json::object()}};
    } else {
      decision = {{"behavior", "deny"}, {"message", note.empty() ? "The user refused this call." : text_in(note)}};
    }
    return control_response(asked->second.request_id, "success", {{"response", std::move(decision)}});
  }

  std::string message(std::string_view message_id, std::string_view text) const override { return claude_message(message_id, text); }

  std::string interrupt(std::string_view key) const override {
    return line_of({{"type", "control_request"}, {"request_id", text_in(key)}, {"request", json::object{{"subtype", "interrupt"}}}});
  }

 private:
  // False: the line is of no kind that is known here. A known one may well say nothing.
  bool read(const json::object& line, std::vector<Told>& out) {
    const auto type = base::string_field(line, "type");
    if (type == "system") return read_system(line, out);
    if (type == "assistant") return read_assistant(line, out);
    if (type == "user") return read_user(line, out);
    if (type == "result") return read_result(line, out);
    if (type == "control_request") return read_request(line, out);
    if (type == "control_response") return read_response(line);
    if (type == "control_cancel_request") return forget_request(base::text_or_empty(line, "request_id"));
    if (type == "command_lifecycle") return read_lifecycle(line, out);
    if (type == "rate_limit_event") return read_limit(line);
    return false;
  }

  bool read_system(const json::object& line, std::vector<Told>& out) {
    const auto subtype = base::string_field(line, "subtype");
    if (subtype == "init") return read_init(line, out);
    if (subtype != "api_retry") return subtype == "permission_denied" || subtype == "status";
    const auto error = base::text_or_empty(line, "error");
    const auto status = base::int_field(line, "error_status");
    constexpr double kDelayMsMax = 1e9;
    const auto delay = std::clamp(base::number_field(line, "retry_delay_ms").value_or(0), 0.0, kDelayMsMax);
    const bool limited = error == "rate_limit" || status == 429;
    retry_ms_ = limited ? static_cast<std::int64_t>(delay) : 0;
    out.push_back(Retries{.limited = limited,
                          .in_ms = static_cast<std::int64_t>(delay),
                          .reason = error + (status ? (error.empty() ? "" : " ") + std::to_string(*status) : "")});
    return true;
  }

  // It comes at the beginning of every turn.
  bool read_init(const json::object& line, std::vector<Told>& out) {
    const auto id = session_id_in(line, "session_id");
    if (!id) return false;
    SessionNamed now{.session_id = *id, .model = base::text_or_empty(line, "model"), .version = base::text_or_empty(line, "claude_code_version")};
    if (now.session_id != named_.session_id || now.model != named_.model || now.version != named_.version) {
      named_ = now;
      out.push_back(std::move(now));
    }
    begin_turn();
    out.push_back(TurnBegan());
    return true;
  }

  void begin_turn() {
    said_.clear();
    local_error_.clear();
    error_kind_.clear();
    used_.clear();
    retry_ms_ = 0;
  }

  bool read_assistant(const json::object& line, std::vector<Told>& out) {
    const auto* message = base::object_field(line, "message");
    const auto* content = message ? base::array_field(*message, "content") : nullptr;
    if (!content) return false;
    const bool is_local = base::string_field(*message, "model") == "<synthetic>";
    // What an agent inside this one says is for that one's ears; its calls are this program's doing like all others.
    const bool is_inner = base::string_field(line, "parent_tool_use_id").has_value();
    if (const auto kind = base::string_field(line, "error"); kind && is_local) error_kind_ = *kind;
    if (!is_local) note_usage(*message, *content);
    for (const auto& part : *content) {
      const auto* block = part.if_object();
      if (!block) continue;
      const auto type = base::string_field(*block, "type");
      auto text = base::text_or_empty(*block, type == "thinking" ? "thinking" : "text");
      if (type == "text" && is_local) local_error_ = std::move(text);
      else if (type == "text" && !is_inner && !text.empty()) out.push_back(Said{said_ = std::move(text)});
      else if (type == "thinking" && !is_inner && !text.empty()) out.push_back(Thought{std::move(text)});
      else if (type == "tool_use") begin_call(*block, out);
    }
    return true;
  }

  // A message comes in several lines, each with the same figures, of which that of the output is not meant: it is guessed from the text.
  void note_usage(const json::object& message, const json::array& content) {
    static constexpr std::int64_t kBytesPerToken = 4;
    const auto usage = usage_of(message);
    auto& used = used_[base::text_or_empty(message, "id")];
    const auto guessed = used.output_tokens + static_cast<std::int64_t>(base::to_text(content).size()) / kBytesPerToken;
    if (usage != run::Usage()) used = usage;
    used.output_tokens = std::max(guessed, usage.output_tokens);
  }

  void begin_call(const json::object& block, std::vector<Told>& out) {
    const auto id = id_in(block, "id");
    if (!id) return;
    run::ToolCall call{.id = *id, .name = base::text_or_empty(block, "name"), .arguments = input_of(block)};
    remember(calls_, *id, call);
    out.push_back(CallBegan{std::move(call)});
  }

  bool read_user(const json::object& line, std::vector<Told>& out) {
    const auto* message = base::object_field(line, "message");
    if (!message) return false;
    if (const auto id = id_in(line, "uuid"); id && base::bool_field(line, "isReplay") == true) out.push_back(Heard{*id});
    const auto* content = base::array_field(*message, "content");
    if (!content) return base::string_field(*message, "content").has_value();
    for (const auto& part : *content)
      if (const auto* block = part.if_object(); block && base::string_field(*block, "type") == "tool_result") end_call(*block, out);
    return true;
  }

  void end_call(const json::object& block, std::vector<Told>& out) {
    const auto id = id_in(block, "tool_use_id");
    if (!id) return;
    CallEnded ended{.call = {}, .result = result_text(block), .is_error = base::bool_field(block, "is_error").value_or(false)};
    ended.call.id = *id;
    if (const auto begun = calls_.find(*id); begun != calls_.end()) {
      ended.call = std::move(begun->second);
      calls_.erase(begun);
    }
    asked_.erase(*id);
    out.push_back(std::move(ended));
  }

  bool read_request(const json::object& line, std::vector<Told>& out) {
    const auto request_id = id_in(line, "request_id");
    const auto* request = base::object_field(line, "request");
    if (!request_id || !request) return false;
    if (base::string_field(*request, "subtype") != "can_use_tool") {
      // Nothing of the kind was offered, but it would wait for ever.
      out.push_back(Reply{.key = "refused:" + *request_id, .line = control_response(*request_id, "error", {{"error", "not supported"}})});
      return true;
    }
    Asks asks{.call = {.id = id_in(*request, "tool_use_id").value_or(*request_id),
                       .name = base::text_or_empty(*request, "tool_name"),
                       .arguments = input_of(*request)},
              .reason = base::text_or_empty(*request, "decision_reason")};
    remember(asked_, asks.call.id, Asked{.request_id = *request_id, .input = asks.call.arguments});
    out.push_back(std::move(asks));
    return true;
  }

  // An answer to a request of ours, or the echo of an answer of ours: then that question is settled.
  bool read_response(const json::object& line) {
    const auto* response = base::object_field(line, "response");
    return response && forget_request(base::text_or_empty(*response, "request_id"));
  }

  bool forget_request(const std::string& request_id) {
    std::erase_if(asked_, [&](const auto& asked) { return asked.second.request_id == request_id; });
    return true;
  }

  static bool read_lifecycle(const json::object& line, std::vector<Told>& out) {
    const auto id = id_in(line, "command_uuid");
    if (!id) return false;
    if (base::string_field(line, "state") == "completed") out.push_back(HandledMessage{*id});
    return true;
  }

  // When a subscription's limit ends. The result that follows it does not repeat that.
  bool read_limit(const json::object& line) {
    const auto* info = base::object_field(line, "rate_limit_info");
    if (!info) return false;
    limit_ends_s_ = base::string_field(*info, "status") == "rejected" ? count_in(*info, "resetsAt") : 0;
    return true;
  }

  bool read_result(const json::object& line, std::vector<Told>& out) {
    TurnEnded ended;
    auto& turn = ended.turn;
    turn.usage = usage_of(line);
    turn.cost_micros = cost_of(line);
    const auto failure = failure_in(line);
    turn.outcome = failure.outcome;
    turn.until_ms = failure.until_ms;
    ended.limited_for_ms = failure.for_ms;
    if (turn.outcome == TurnOutcome::done) {
      turn.text = base::string_field(line, "result").value_or(said_);
    } else {
      turn.text = said_;
      turn.error = error_text(line);
    }
    asked_.clear();
    calls_.clear();
    limit_ends_s_ = 0;
    begin_turn();
    out.push_back(std::move(ended));
    return true;
  }

  std::string error_text(const json::object& line) const {
    auto text = errors_in(line);
    // Without the flag it may be the answer so far, of a turn that was cut.
    if (text.empty() && base::bool_field(line, "is_error") == true) text = base::text_or_empty(line, "result");
    if (text.empty()) text = local_error_;
    if (text.empty()) text = base::string_field(line, "terminal_reason").value_or(base::text_or_empty(line, "subtype"));
    return std::string(base::utf8_prefix(text, kErrorBytesMax));
  }

  // `is_error` decides. An `error_...` subtype is one too, whatever stands beside it; "success" says nothing.
  Failure failure_in(const json::object& line) const {
    const auto reason = base::text_or_empty(line, "terminal_reason");
    const auto subtype = base::text_or_empty(line, "subtype");
    if (reason.starts_with("aborted_")) return {.outcome = TurnOutcome::interrupted};
    const bool is_error = base::bool_field(line, "is_error").value_or(subtype != "success") || subtype.starts_with("error_");
    if (!is_error) return {.outcome = TurnOutcome::done};
    if (subtype.starts_with("error_") || reason == "budget_exhausted") return {.outcome = TurnOutcome::failed};
    const auto status = base::int_field(line, "api_error_status");
    auto failure = failure_of(status, error_kind_ + "\n" + local_error_ + "\n" + error_text(line));
    // No status at all: the request did not get through.
    if (failure.outcome == TurnOutcome::failed && !status && reason == "api_error") failure.outcome = TurnOutcome::again;
    if (failure.outcome != TurnOutcome::limited) return failure;
    if (!failure.until_ms) failure.until_ms = limit_ends_s_ * 1'000;
    if (const auto seconds = base::number_field(line, "retry_after"); seconds && *seconds > 0 && !failure.until_ms)
      failure.for_ms = micros_of(*seconds) / 1'000;
    // The provider's own `retry-after` stands only in what was said of the tries before.
    if (!failure.until_ms && !failure.for_ms) failure.for_ms = retry_ms_;
    return failure;
  }

  // total_cost_usd counts the whole session, earlier processes included: of a session that is gone on with, the first result
  // is worth only what it says of itself.
  std::int64_t cost_of(const json::object& line) {
    const auto total_field = base::number_field(line, "total_cost_usd");
    const auto total = micros_of(total_field.value_or(0));
    if (cost_is_inherited_) {
      cost_is_inherited_ = false;
      cost_micros_ = total;
      return cost_since_last(line);
    }
    if (!total_field) return 0;
    const auto cost = std::max<std::int64_t>(total - cost_micros_, 0);
    cost_micros_ = total;
    return cost;
  }

  static std::int64_t cost_since_last(const json::object& line) {
    const auto* models = base::object_field(line, "model_usage_since_last_result");
    if (!models) return 0;
    double dollars = 0;
    for (const auto& model : *models)
      if (const auto* usage = model.value().if_object()) dollars += base::number_field(*usage, "costUSD").value_or(0);
    return micros_of(dollars);
  }

  SessionNamed named_;
  std::map<std::string, run::Usage> used_;      // by the turn under way, of each message
  std::map<std::string, run::ToolCall> calls_;  // begun, not ended
  std::map<std::string, Asked> asked_;          // by the id that names the question
  bool cost_is_inherited_;
  std::int64_t cost_micros_ = 0;  // of the session, by the last result
  std::int64_t limit_ends_s_ = 0;
  std::int64_t retry_ms_ = 0;  // how long it waited before its last try, of a limit
  // Of this turn: its last text, an error line that no model wrote, and that error's kind.
  std::string said_, local_error_, error_kind_;
};

}  // namespace

std::unique_ptr<Decoder> claude_decoder(const Start& start) { return std::make_unique<ClaudeDecoder>(start.resumes); }

}  // namespace harness
