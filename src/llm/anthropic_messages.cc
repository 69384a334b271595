// The answer half of Anthropic's Messages; the request half is in anthropic_request.cc.
#include "llm/anthropic_messages.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "llm/event_decoder.h"
#include "llm/wire_error.h"

namespace llm {

namespace {

using base::json::object;

enum class BlockKind { text, thinking, redacted_thinking, tool_use, other };

BlockKind block_kind(std::string_view type) {
  if (type == "text") return BlockKind::text;
  if (type == "thinking") return BlockKind::thinking;
  if (type == "redacted_thinking") return BlockKind::redacted_thinking;
  if (type == "tool_use") return BlockKind::tool_use;
  return BlockKind::other;  // of the provider's own tools: nothing that we asked for
}

struct Block {
  std::int64_t index = 0;
  BlockKind kind = BlockKind::other;
  run::Thinking thinking = {};
  run::ToolCall call = {};
  std::string whole_input = {};  // where the input came with the block's start instead of in deltas
};

class MessagesDecoder final : public EventDecoder {
 public:
  MessagesDecoder(std::string provider, std::size_t message_count)
      : EventDecoder(std::move(provider)), message_count_(message_count) {}

 protected:
  bool on_marker(std::string_view data) override { return data == "[DONE]"; }  // some imitators add it
  Step on_event(const object& event, DeltaSink& sink) override;
  Step on_document(const object& document, DeltaSink& sink) override;
  std::expected<ModelResult, ModelError> result() override;

 private:
  Step start_block(std::int64_t index, const object& content, DeltaSink& sink);
  Step read_delta(const object& event, DeltaSink& sink);
  void read_message(const object& message);
  void read_usage(const object& usage);
  Step check_error(const object& event) const;
  StopReason stop_reason(bool has_calls) const;

  std::size_t message_count_;
  std::string response_id_;
  std::string stop_reason_;
  std::vector<Block> blocks_;
  run::Usage usage_;
};

EventDecoder::Step MessagesDecoder::on_event(const object& event, DeltaSink& sink) {
  const auto type = base::string_field(event, "type").value_or("");
  if (type == "content_block_delta") return read_delta(event, sink);
  if (type == "content_block_start") {
    const auto* content = base::object_field(event, "content_block");
    return content ? start_block(base::int_or_zero(event, "index"), *content, sink) : Step();
  }
  if (type == "message_start") {
    if (const auto* message = base::object_field(event, "message")) read_message(*message);
  } else if (type == "message_delta") {
    if (const auto* delta = base::object_field(event, "delta"))
      if (const auto reason = base::string_field(*delta, "stop_reason")) stop_reason_ = *reason;
    if (const auto* usage = base::object_field(event, "usage")) read_usage(*usage);
  } else if (type == "message_stop") {
    advance(Progress::finished);
  } else {
    return check_error(event);  // ping and what may yet be invented are no errors
  }
  return {};
}

EventDecoder::Step MessagesDecoder::on_document(const object& document, DeltaSink& sink) {
  if (auto step = check_error(document); !step) return step;
  const auto* content = base::array_field(document, "content");
  if (!content) return unreadable("is not a message");
  read_message(document);
  stop_reason_ = base::text_or_empty(document, "stop_reason");
  std::int64_t index = 0;
  for (const auto& block : *content)
    if (const auto* fields = block.if_object())
      if (auto step = start_block(index++, *fields, sink); !step) return step;
  advance(Progress::finished);
  return {};
}

EventDecoder::Step MessagesDecoder::check_error(const object& event) const {
  const auto* error = event.if_contains("error");
  const bool is_error = base::string_field(event, "type") == "error";
  if (error && !error->is_null()) return std::unexpected(stream_error(provider(), *error));
  if (is_error) return std::unexpected(stream_error(provider(), base::json::value(event)));
  return {};
}

EventDecoder::Step MessagesDecoder::start_block(std::int64_t index, const object& content, DeltaSink& sink) {
  Block block{.index = index, .kind = block_kind(base::string_field(content, "type").value_or(""))};
  std::size_t held_bytes = 64;  // the block itself
  switch (block.kind) {
    case BlockKind::text: emit_text(sink, base::string_field(content, "text").value_or("")); break;
    case BlockKind::thinking:
      block.thinking.text = base::text_or_empty(content, "thinking");
      block.thinking.signature = base::text_or_empty(content, "signature");
      emit_thinking(sink, block.thinking.text);
      held_bytes += block.thinking.text.size() + block.thinking.signature.size();
      break;
    case BlockKind::redacted_thinking:
      block.thinking.redacted = base::text_or_empty(content, "data");
      held_bytes += block.thinking.redacted.size();
      break;
    case BlockKind::tool_use: {
      if (std::ranges::count(blocks_, BlockKind::tool_use, &Block::kind) >=
          static_cast<std::ptrdiff_t>(base::limits::kToolCallsPerTurnMax))
        return unreadable("asks for more tool calls than the bound of one turn");
      block.call.id = base::text_or_empty(content, "id");
      block.call.name = base::text_or_empty(content, "name");
      if (const auto* input = content.if_contains("input"); input && input->is_object())
        block.whole_input = base::to_text(*input);
      held_bytes += block.call.id.size() + block.call.name.size() + block.whole_input.size();
      break;
    }
    case BlockKind::other: break;
  }
  blocks_.push_back(std::move(block));
  return hold(held_bytes);
}

EventDecoder::Step MessagesDecoder::read_delta(const object& event, DeltaSink& sink) {
  const auto* delta = base::object_field(event, "delta");
  if (!delta) return {};
  const auto type = base::string_field(*delta, "type").value_or("");
  if (type == "text_delta") {
    emit_text(sink, base::string_field(*delta, "text").value_or(""));
    return {};
  }
  const auto index = base::int_or_zero(event, "index");
  const auto block = std::find_if(blocks_.rbegin(), blocks_.rend(), [&](const Block& b) { return b.index == index; });
  if (block == blocks_.rend()) return {};
  if (type == "thinking_delta") {
    const auto text = base::string_field(*delta, "thinking").value_or("");
    emit_thinking(sink, text);
    block->thinking.text += text;
    return hold(text.size());
  }
  if (type == "signature_delta") {
    const auto signature = base::string_field(*delta, "signature").value_or("");
    block->thinking.signature += signature;
    return hold(signature.size());
  }
  if (type == "input_json_delta") {
    const auto json = base::string_field(*delta, "partial_json").value_or("");
    block->call.arguments += json;
    return hold(json.size());
  }
  return {};  // citations and the like
}

void MessagesDecoder::read_message(const object& message) {
  response_id_ = base::text_or_empty(message, "id");
  if (const auto* usage = base::object_field(message, "usage")) read_usage(*usage);
}

// message_start has the input, message_delta the output so far, and some servers all of it at the end.
void MessagesDecoder::read_usage(const object& usage) {
  const auto read = [&](std::string_view key, std::int64_t& out) {
    if (const auto count = base::int_field(usage, key)) out = *count;
  };
  read("input_tokens", usage_.input_tokens);
  read("output_tokens", usage_.output_tokens);
  read("cache_read_input_tokens", usage_.cache_read_tokens);
  read("cache_creation_input_tokens", usage_.cache_write_tokens);
  if (const auto* details = base::object_field(usage, "output_tokens_details"))
    usage_.reasoning_tokens = base::int_or_zero(*details, "thinking_tokens");
}

StopReason MessagesDecoder::stop_reason(bool has_calls) const {
  if (stop_reason_ == "max_tokens" || stop_reason_ == "model_context_window_exceeded") return StopReason::length;
  if (stop_reason_ == "refusal") return StopReason::refused;
  return has_calls ? StopReason::tool_calls : StopReason::end;
}

std::expected<ModelResult, ModelError> MessagesDecoder::result() {
  ModelResult result;
  for (auto& block : blocks_) {
    switch (block.kind) {
      case BlockKind::thinking:
      case BlockKind::redacted_thinking: result.thinking.push_back(std::move(block.thinking)); break;
      case BlockKind::tool_use:
        if (block.call.name.empty()) return unreadable("has a tool call without a name");
        if (block.call.id.empty())
          block.call.id = "call_" + std::to_string(result.tool_calls.size()) + "_" + std::to_string(message_count_);
        if (block.call.arguments.empty()) block.call.arguments = block.whole_input.empty() ? "{}" : std::move(block.whole_input);
        result.tool_calls.push_back(std::move(block.call));
        break;
      case BlockKind::text:
      case BlockKind::other: break;
    }
  }
  result.stop = stop_reason(!result.tool_calls.empty());
  result.usage = usage_;
  result.cache_is_beside = true;
  result.response_id = std::move(response_id_);
  return result;
}

}  // namespace

std::unique_ptr<StreamDecoder> AnthropicMessages::decoder(const ModelRequest& request) const {
  return std::make_unique<MessagesDecoder>(provider_, request.messages.size());
}

}  // namespace llm
