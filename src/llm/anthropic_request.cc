// The request half of Anthropic's Messages; the answer half is in anthropic_messages.cc.
#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "llm/anthropic_messages.h"
#include "llm/wire_text.h"

namespace llm {

namespace {

constexpr std::string_view kApiVersion = "2023-06-01";
constexpr std::int64_t kBudgetTokensMin = 1'024;  // the provider's own bound

// Generation of a Claude, e.g. {4, 6}; {0, 0} for other models. Names are claude-FAMILY-MAJOR[-MINOR][-DATE] and, up to 3.7,
// claude-MAJOR[-MINOR]-FAMILY[-DATE].
struct Generation {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  auto operator<=>(const Generation&) const = default;
};

Generation generation_of(std::string_view model) {
  const auto at = model.find("claude-");
  if (at == model.npos) return {};
  Generation found;
  bool has_major = false;
  std::string name(model.substr(at + 7));
  std::ranges::replace(name, '.', '-');  // resellers write 4.6
  for (const auto part : base::split(name, '-')) {
    const auto number = base::parse_int(part);
    if (!number || *number < 0 || *number > 99) {
      if (has_major) break;  // a date, or the family of an old name
      continue;
    }
    if (has_major) {
      found.minor = *number;
      break;
    }
    found.major = *number;
    has_major = true;
  }
  return found;
}

std::int64_t budget_of(std::string_view effort) {
  // With the 8192 tokens of the answer all of them stay below 32000, the smallest limit of the models that can think.
  static constexpr std::pair<std::string_view, std::int64_t> kBudgets[] = {
      {"minimal", 1'024}, {"low", 2'048}, {"medium", 8'192}, {"high", 16'384}, {"xhigh", 20'480}, {"max", 23'552},
  };
  for (const auto& [word, tokens] : kBudgets)
    if (word == effort) return tokens;
  return 0;
}

std::string_view adaptive_effort(std::string_view effort, const Generation& generation) {
  if (effort == "minimal") return "low";
  if (effort == "xhigh" && generation < Generation{4, 7}) return "high";
  return effort;
}

// Ids of calls must be of A-Za-z0-9_-; those that another provider made may not be.
std::string call_id(std::string_view id) {
  std::string out(id);
  for (char& c : out) {
    const bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    if (!fine) c = '_';
  }
  return out;
}

bool has_signed_thinking(const run::Message& message) {
  return std::ranges::any_of(message.thinking,
                             [](const run::Thinking& t) { return !t.signature.empty() || !t.redacted.empty(); });
}

// Budget thinking cannot begin in the middle of an exchange: its turns of tool calls must bring their thinking along.
bool can_think_now(const std::vector<run::Message>& messages) {
  for (auto at = messages.rbegin(); at != messages.rend() && at->role != run::Role::user; ++at)
    if (at->role == run::Role::assistant && !at->tool_calls.empty() && !has_signed_thinking(*at)) return false;
  return true;
}

// Writes the messages, merging neighbours of one role: results of tools are a user's words here.
class MessageWriter {
 public:
  MessageWriter(std::string& out, bool send_thinking) : out_(out), send_thinking_(send_thinking) {}

  void write(const run::Message& message) {
    switch (message.role) {
      case run::Role::system:  // it knows no system message between the turns: it comes with the user's words
      case run::Role::user:
        if (message.text.empty()) return;  // refused by the provider
        begin_block("user");
        text_block(message.text);
        return;
      case run::Role::assistant: write_assistant(message); return;
      case run::Role::tool:
        begin_block("user");
        result_block(message);
        return;
    }
  }
  void end() {
    if (!role_.empty()) out_ += "]}";
  }

 private:
  void begin_block(std::string_view role) {
    if (role_ == role) {
      out_ += ',';
      return;
    }
    if (!role_.empty()) out_ += "]},";
    role_ = role;
    out_ += R"({"role":")";
    out_ += role;
    out_ += R"(","content":[)";
  }

  void write_assistant(const run::Message& message) {
    if (send_thinking_ && !(message.text.empty() && message.tool_calls.empty()))
      for (const auto& thinking : message.thinking) thinking_block(thinking);
    if (!base::trim(message.text).empty()) {
      begin_block("assistant");
      text_block(message.text);
    }
    for (const auto& call : message.tool_calls) {
      begin_block("assistant");
      out_ += R"({"type":"tool_use","id":)";
      base::append_json_string(out_, call_id(call.id));
      append_key(out_, "name");
      base::append_json_string(out_, call.name);
      append_key(out_, "input");
      out_ += arguments_object(call);
      out_ += '}';
    }
  }

  void text_block(std::string_view text) {
    out_ += R"({"type":"text","text":)";
    base::append_json_string(out_, text);
    out_ += '}';
  }

  // Verbatim, for the signature covers it. What other providers thought has none and cannot be sent.
  void thinking_block(const run::Thinking& thinking) {
    if (!thinking.redacted.empty()) {
      begin_block("assistant");
      out_ += R"({"type":"redacted_thinking","data":)";
      base::append_json_string(out_, thinking.redacted);
      out_ += '}';
    } else if (!thinking.signature.empty()) {
      begin_block("assistant");
      out_ += R"({"type":"thinking","thinking":)";
      base::append_json_string(out_, thinking.text);
      append_key(out_, "signature");
      base::append_json_string(out_, thinking.signature);
      out_ += '}';
    }
  }

  void result_block(const run::Message& message) {
    out_ += R"({"type":"tool_result","tool_use_id":)";
    base::append_json_string(out_, call_id(message.tool_call_id));
    if (!message.text.empty()) {
      append_key(out_, "content");
      base::append_json_string(out_, message.text);
    }
    if (message.is_error) out_ += R"(,"is_error":true)";
    out_ += '}';
  }

  std::string& out_;
  bool send_thinking_;
  std::string_view role_;
};

void append_tools(std::string& out, const std::vector<ToolSpec>& tools) {
  if (tools.empty()) return;
  append_key(out, "tools");
  char separator = '[';
  for (const auto& tool : tools) {
    out += separator;
    separator = ',';
    out += R"({"name":)";
    base::append_json_string(out, tool.name);
    append_key(out, "description");
    base::append_json_string(out, tool.description);
    append_key(out, "input_schema");
    out += schema_or_empty(tool.schema);
    out += '}';
  }
  out += ']';
}

// Thinking is sent back where the model thinks: because it was asked to, or because it does so unasked (Claude 5, and other
// makers' models, from whom the history's thinking then came).
bool wants_thinking_back(std::string_view model, const AnthropicThinking& thinking) {
  switch (thinking.mode) {
    case AnthropicThinking::Mode::disabled: return false;
    case AnthropicThinking::Mode::budget:
    case AnthropicThinking::Mode::adaptive: return true;
    case AnthropicThinking::Mode::none: break;
  }
  const auto generation = generation_of(model);
  return generation.major == 0 || generation.major >= 5;
}

void append_thinking(std::string& out, const AnthropicThinking& thinking) {
  switch (thinking.mode) {
    case AnthropicThinking::Mode::none: return;
    case AnthropicThinking::Mode::disabled: out += R"(,"thinking":{"type":"disabled"})"; return;
    case AnthropicThinking::Mode::budget:
      out += R"(,"thinking":{"type":"enabled","budget_tokens":)" + std::to_string(thinking.budget_tokens) + "}";
      return;
    case AnthropicThinking::Mode::adaptive:
      out += R"(,"thinking":{"type":"adaptive")";
      if (thinking.show) out += R"(,"display":"summarized")";
      out += R"(},"output_config":{"effort":)";
      base::append_json_string(out, thinking.effort);
      out += '}';
      return;
  }
}

}  // namespace

AnthropicThinking anthropic_thinking(std::string_view model, std::string_view effort, std::optional<std::int64_t> max_tokens) {
  using enum AnthropicThinking::Mode;
  const auto generation = generation_of(model);
  if (effort.empty()) return {};
  if (effort == "none") return {.mode = generation.major >= 5 ? disabled : none, .budget_tokens = 0, .effort = {}};
  if (generation >= Generation{4, 6})
    return {.mode = adaptive,
            .budget_tokens = 0,
            .effort = adaptive_effort(effort, generation),
            .show = generation >= Generation{4, 7}};
  auto budget_tokens = budget_of(effort);
  if (max_tokens) budget_tokens = std::min(budget_tokens, *max_tokens / 2);
  if (budget_tokens < kBudgetTokensMin) return {};
  return {.mode = budget, .budget_tokens = budget_tokens, .effort = {}};
}

std::int64_t anthropic_max_tokens(std::string_view model, const AnthropicThinking& thinking) {
  constexpr std::int64_t kAnswerTokens = 8'192;
  const auto generation = generation_of(model);
  if (thinking.mode == AnthropicThinking::Mode::budget) return thinking.budget_tokens + kAnswerTokens;
  if (generation >= Generation{4, 6}) return 32'768;  // thinking counts, and these think by themselves
  if (generation >= Generation{3, 7}) return 16'384;
  if (generation >= Generation{3, 5} || generation.major == 0) return kAnswerTokens;
  return 4'096;
}

WireRequest AnthropicMessages::write(const ModelRequest& request, const std::string& api_key) const {
  auto thinking = anthropic_thinking(request.model, request.effort, request.max_tokens);
  if (thinking.mode == AnthropicThinking::Mode::budget && !can_think_now(request.messages)) thinking = {};
  WireRequest out;
  out.path = "/v1/messages";
  out.headers.emplace_back("anthropic-version", kApiVersion);
  if (!api_key.empty()) out.headers.emplace_back("x-api-key", api_key);
  auto& body = out.body;
  body = R"({"model":)";
  base::append_json_string(body, request.model);
  append_key(body, "max_tokens");
  body += std::to_string(request.max_tokens.value_or(anthropic_max_tokens(request.model, thinking)));
  if (!request.system.empty()) {
    append_key(body, "system");
    base::append_json_string(body, request.system);
  }
  append_key(body, "messages");
  body += '[';
  MessageWriter writer(body, wants_thinking_back(request.model, thinking));
  for (const auto& message : request.messages) writer.write(message);
  writer.end();
  body += ']';
  append_tools(body, request.tools);
  append_thinking(body, thinking);
  if (request.temperature) {
    append_key(body, "temperature");
    append_number(body, *request.temperature);
  }
  if (request.top_p) {
    append_key(body, "top_p");
    append_number(body, *request.top_p);
  }
  body += R"(,"stream":true})";
  return out;
}

}  // namespace llm
