#include "llm/openai_chat.h"

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/limits.h"
#include "llm/event_decoder.h"
#include "llm/wire_error.h"
#include "llm/wire_text.h"

namespace llm {

namespace {

using base::json::array;
using base::json::object;
using base::json::value;

// ---- the request ----

void append_calls(std::string& out, const run::Message& message) {
  append_key(out, "tool_calls");
  char separator = '[';
  for (const auto& call : message.tool_calls) {
    out += separator;
    separator = ',';
    out += R"({"id":)";
    base::append_json_string(out, call.id);
    out += R"(,"type":"function","function":{"name":)";
    base::append_json_string(out, call.name);
    append_key(out, "arguments");
    base::append_json_string(out, arguments_object(call));
    out += "}}";
  }
  out += ']';
}

// DeepSeek refuses a turn of tool calls that comes back without the reasoning that led to them.
void append_reasoning(std::string& out, const run::Message& message) {
  std::string text;
  for (const auto& thinking : message.thinking) text += thinking.text;
  if (text.empty()) return;
  append_key(out, "reasoning_content");
  base::append_json_string(out, text);
}

void append_message(std::string& out, const run::Message& message, const std::string& provider) {
  switch (message.role) {
    case run::Role::user: out += R"({"role":"user","content":)"; break;
    case run::Role::assistant: out += R"({"role":"assistant","content":)"; break;
    case run::Role::tool: out += R"({"role":"tool","content":)"; break;
    case run::Role::system: out += R"({"role":"system","content":)"; break;
  }
  if (message.role == run::Role::assistant && message.text.empty())
    out += "null";
  else
    base::append_json_string(out, message.text);
  if (message.role == run::Role::tool) {
    append_key(out, "tool_call_id");
    base::append_json_string(out, message.tool_call_id);
  }
  if (message.role == run::Role::assistant && !message.tool_calls.empty()) {
    append_calls(out, message);
    if (provider == "deepseek") append_reasoning(out, message);
  }
  out += '}';
}

void append_messages(std::string& out, const ModelRequest& request, const std::string& provider) {
  append_key(out, "messages");
  out += '[';
  bool first = true;
  const auto separate = [&] {
    if (!first) out += ',';
    first = false;
  };
  if (!request.system.empty()) {
    separate();
    out += R"({"role":"system","content":)";
    base::append_json_string(out, request.system);
    out += '}';
  }
  for (const auto& message : request.messages) {
    // A turn in which the model said nothing is refused by some servers and means nothing to the others.
    if (message.role == run::Role::assistant && message.text.empty() && message.tool_calls.empty()) continue;
    separate();
    append_message(out, message, provider);
  }
  out += ']';
}

void append_tools(std::string& out, const std::vector<ToolSpec>& tools) {
  if (tools.empty()) return;
  append_key(out, "tools");
  char separator = '[';
  for (const auto& tool : tools) {
    out += separator;
    separator = ',';
    out += R"({"type":"function","function":{"name":)";
    base::append_json_string(out, tool.name);
    append_key(out, "description");
    base::append_json_string(out, tool.description);
    append_key(out, "parameters");
    out += schema_or_empty(tool.schema);
    out += "}}";
  }
  out += ']';
}

// Our efforts in the provider's words: OpenAI has no "max", its imitators only know the three in the middle.
std::string_view effort_word(std::string_view effort, std::string_view provider) {
  if (provider == "openai" || provider == "openrouter") return effort == "max" ? "xhigh" : effort;
  if (effort == "xhigh" || effort == "max") return "high";
  return effort == "minimal" ? "low" : effort;
}

// ---- the answer ----

struct CallSlot {
  std::optional<std::int64_t> index;
  std::string id;
  std::string name;
  std::string arguments;
};

class ChatDecoder final : public EventDecoder {
 public:
  ChatDecoder(std::string provider, std::size_t message_count)
      : EventDecoder(std::move(provider)), message_count_(message_count) {}

 protected:
  bool on_marker(std::string_view data) override {
    if (data != "[DONE]") return false;
    // Some servers send it without a finish reason; it is the end all the same.
    advance(Progress::finished);
    return true;
  }

  Step on_event(const object& event, DeltaSink& sink) override {
    if (auto step = check_error(event); !step) return step;
    read_envelope(event);
    const auto* choice = first_choice(event);
    if (!choice) return {};
    const auto* delta = base::object_field(*choice, "delta");
    if (!delta) delta = base::object_field(*choice, "message");
    return read_choice(*choice, delta, sink);
  }

  Step on_document(const object& document, DeltaSink& sink) override {
    if (auto step = check_error(document); !step) return step;
    read_envelope(document);
    const auto* choice = first_choice(document);
    const auto* message = choice ? base::object_field(*choice, "message") : nullptr;
    if (!message) return unreadable("is not a chat completion");
    advance(Progress::finished);
    return read_choice(*choice, message, sink);
  }

  std::expected<ModelResult, ModelError> result() override;

 private:
  Step check_error(const object& event) const;
  void read_envelope(const object& event);
  void read_usage(const object& usage);
  static const object* first_choice(const object& event);
  Step read_choice(const object& choice, const object* delta, DeltaSink& sink);
  Step read_content(const value& content, DeltaSink& sink);
  Step read_thinking(std::string_view text, DeltaSink& sink);
  Step read_call(const object& piece);
  CallSlot& slot_of(const object& piece, std::string_view id, std::string_view name);
  StopReason stop_reason() const;

  std::size_t message_count_;
  std::string response_id_;
  std::string finish_reason_;
  bool refused_ = false;
  std::string thinking_;
  std::vector<CallSlot> calls_;
  run::Usage usage_;
};

EventDecoder::Step ChatDecoder::check_error(const object& event) const {
  const auto* error = event.if_contains("error");
  if (error && !error->is_null()) return std::unexpected(stream_error(provider(), *error));
  if (base::string_field(event, "object") == "error") return std::unexpected(stream_error(provider(), value(event)));
  return {};
}

void ChatDecoder::read_envelope(const object& event) {
  if (response_id_.empty()) response_id_ = base::text_or_empty(event, "id");
  if (const auto* usage = base::object_field(event, "usage")) read_usage(*usage);
  if (const auto* groq = base::object_field(event, "x_groq"))
    if (const auto* usage = base::object_field(*groq, "usage")) read_usage(*usage);
}

void ChatDecoder::read_usage(const object& usage) {
  // Some servers repeat it with every chunk: the last one counts.
  usage_.input_tokens = base::int_or_zero(usage, "prompt_tokens");
  usage_.output_tokens = base::int_or_zero(usage, "completion_tokens");
  usage_.cache_read_tokens = base::int_or_zero(usage, "prompt_cache_hit_tokens");
  if (const auto* details = base::object_field(usage, "prompt_tokens_details"))
    usage_.cache_read_tokens = std::max(usage_.cache_read_tokens, base::int_or_zero(*details, "cached_tokens"));
  if (const auto* details = base::object_field(usage, "completion_tokens_details"))
    usage_.reasoning_tokens = base::int_or_zero(*details, "reasoning_tokens");
}

const object* ChatDecoder::first_choice(const object& event) {
  const auto* choices = base::array_field(event, "choices");
  if (!choices) return nullptr;
  for (const auto& choice : *choices)
    if (const auto* found = choice.if_object(); found && base::int_or_zero(*found, "index") == 0) return found;
  return nullptr;
}

EventDecoder::Step ChatDecoder::read_choice(const object& choice, const object* delta, DeltaSink& sink) {
  if (auto step = check_error(choice); !step) return step;
  if (delta) {
    for (const auto* key : {"reasoning_content", "reasoning"})
      if (const auto text = base::string_field(*delta, key); text && !text->empty()) {
        if (auto step = read_thinking(*text, sink); !step) return step;
        break;  // servers that send both say the same twice
      }
    if (const auto* content = delta->if_contains("content"))
      if (auto step = read_content(*content, sink); !step) return step;
    if (const auto refusal = base::string_field(*delta, "refusal"); refusal && !refusal->empty()) {
      refused_ = true;
      emit_text(sink, *refusal);
    }
    if (const auto* pieces = base::array_field(*delta, "tool_calls"))
      for (const auto& piece : *pieces)
        if (const auto* call = piece.if_object())
          if (auto step = read_call(*call); !step) return step;
  }
  if (const auto reason = base::string_field(choice, "finish_reason"); reason && !reason->empty()) {
    if (*reason == "error") return std::unexpected(stream_error(provider(), value()));
    finish_reason_ = *reason;
    advance(Progress::answered);
  }
  return {};
}

// A string, or the list of typed parts that Mistral's reasoning models stream.
EventDecoder::Step ChatDecoder::read_content(const value& content, DeltaSink& sink) {
  if (content.is_string()) {
    emit_text(sink, content.get_string());
    return {};
  }
  const auto* parts = content.if_array();
  if (!parts) return {};
  for (const auto& part : *parts) {
    const auto* typed = part.if_object();
    if (!typed) continue;
    if (const auto text = base::string_field(*typed, "text")) emit_text(sink, *text);
    const auto* thoughts = base::array_field(*typed, "thinking");
    if (!thoughts) continue;
    for (const auto& thought : *thoughts)
      if (const auto* inner = thought.if_object())
        if (auto step = read_thinking(base::string_field(*inner, "text").value_or(""), sink); !step) return step;
  }
  return {};
}

EventDecoder::Step ChatDecoder::read_thinking(std::string_view text, DeltaSink& sink) {
  emit_thinking(sink, text);
  thinking_ += text;
  return hold(text.size());
}

EventDecoder::Step ChatDecoder::read_call(const object& piece) {
  const object* function = base::object_field(piece, "function");
  const auto id = base::string_field(piece, "id").value_or("");
  const auto name = function ? base::string_field(*function, "name").value_or("") : "";
  auto& slot = slot_of(piece, id, name);
  if (calls_.size() > base::limits::kToolCallsPerTurnMax)
    return unreadable("asks for more tool calls than the bound of one turn");
  if (slot.id.empty()) slot.id = id;
  if (slot.name.empty()) slot.name = name;
  const auto* arguments = function ? function->if_contains("arguments") : nullptr;
  if (!arguments || arguments->is_null()) return hold(id.size() + name.size());
  const auto before = slot.arguments.size();
  if (arguments->is_string())
    slot.arguments += std::string_view(arguments->get_string());
  else
    slot.arguments = base::to_text(*arguments);
  return hold(id.size() + name.size() + (slot.arguments.size() - std::min(before, slot.arguments.size())));
}

// Which call a fragment belongs to. The index says it, except where a server gives none or gives all calls the same one.
CallSlot& ChatDecoder::slot_of(const object& piece, std::string_view id, std::string_view name) {
  const auto index = base::int_field(piece, "index");
  const auto another = [&](const CallSlot& slot) { return !id.empty() && !name.empty() && !slot.id.empty() && slot.id != id; };
  if (index) {
    const auto at = std::find_if(calls_.rbegin(), calls_.rend(), [&](const CallSlot& slot) { return slot.index == index; });
    if (at != calls_.rend() && !another(*at)) return *at;
  } else {
    const auto at =
        std::find_if(calls_.begin(), calls_.end(), [&](const CallSlot& slot) { return !id.empty() && slot.id == id; });
    if (at != calls_.end()) return *at;
    if (!calls_.empty() && id.empty() && name.empty()) return calls_.back();
  }
  calls_.push_back({.index = index, .id = {}, .name = {}, .arguments = {}});
  return calls_.back();
}

StopReason ChatDecoder::stop_reason() const {
  if (finish_reason_ == "length") return StopReason::length;
  if (finish_reason_ == "content_filter" || refused_) return StopReason::refused;
  // Some servers say "stop" although they call tools.
  return calls_.empty() ? StopReason::end : StopReason::tool_calls;
}

std::expected<ModelResult, ModelError> ChatDecoder::result() {
  ModelResult result;
  result.stop = stop_reason();
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    auto& slot = calls_[i];
    if (slot.name.empty()) return unreadable("has a tool call without a name");
    // Made ids must differ within the conversation, of which the message count is a measure.
    if (slot.id.empty()) slot.id = "call_" + std::to_string(i) + "_" + std::to_string(message_count_);
    if (slot.arguments.empty()) slot.arguments = "{}";
    result.tool_calls.push_back({.id = std::move(slot.id), .name = std::move(slot.name), .arguments = std::move(slot.arguments)});
  }
  if (!thinking_.empty()) result.thinking.push_back({.text = std::move(thinking_), .signature = {}, .redacted = {}});
  result.usage = usage_;
  result.response_id = std::move(response_id_);
  return result;
}

}  // namespace

WireRequest OpenAiChat::write(const ModelRequest& request, const std::string& api_key) const {
  WireRequest out;
  out.path = "/chat/completions";
  if (!api_key.empty()) out.headers.emplace_back("Authorization", "Bearer " + api_key);
  auto& body = out.body;
  body = R"({"model":)";
  base::append_json_string(body, request.model);
  append_messages(body, request, provider_);
  append_tools(body, request.tools);
  if (!request.effort.empty()) {
    append_key(body, "reasoning_effort");
    base::append_json_string(body, effort_word(request.effort, provider_));
  }
  if (request.max_tokens) {
    append_key(body, provider_ == "openai" ? "max_completion_tokens" : "max_tokens");
    body += std::to_string(*request.max_tokens);
  }
  if (request.temperature) {
    append_key(body, "temperature");
    append_number(body, *request.temperature);
  }
  if (request.top_p) {
    append_key(body, "top_p");
    append_number(body, *request.top_p);
  }
  body += R"(,"stream":true)";
  // Mistral refuses unknown fields and reports the usage unasked.
  if (provider_ != "mistral") body += R"(,"stream_options":{"include_usage":true})";
  body += '}';
  return out;
}

std::unique_ptr<StreamDecoder> OpenAiChat::decoder(const ModelRequest& request) const {
  return std::make_unique<ChatDecoder>(provider_, request.messages.size());
}

}  // namespace llm
