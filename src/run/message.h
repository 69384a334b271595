#pragma once
// The conversation in Outlast's own words; providers translate it to their wire formats.
#include <cstdint>
#include <string>
#include <vector>

namespace run {

struct ToolCall {
  std::string id;         // the provider's, or made by us where the provider gives none
  std::string name;
  std::string arguments;  // JSON text of an object, as the model wrote it (may be invalid: the tool layer answers that)
  bool operator==(const ToolCall&) const = default;
};

// A model's private reasoning, kept because some providers want it back verbatim (Anthropic: thinking blocks with signature).
struct Thinking {
  std::string text;
  std::string signature;  // opaque, may be empty
  std::string redacted;   // opaque data of a redacted block; text is empty then
  bool operator==(const Thinking&) const = default;
};

enum class Role { user, assistant, tool, system };

// role user: text. role system: what the program tells the model, between the turns. role assistant: thinking, text, tool_calls. role tool: the result `text` of call `tool_call_id`.
struct Message {
  Role role = Role::user;
  std::string text;
  std::vector<Thinking> thinking = {};
  std::vector<ToolCall> tool_calls = {};
  std::string tool_call_id = {};
  std::string tool_name = {};
  bool is_error = false;      // role tool
  std::int64_t at_ms = 0;     // wall time of the fact
  bool operator==(const Message&) const = default;
};

// Tokens of one model call, or the sum of several. Zero where the provider says nothing.
struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  std::int64_t cache_read_tokens = 0;
  std::int64_t cache_write_tokens = 0;
  std::int64_t cost_micros = 0;  // millionths of a US dollar, as far as it is known
  std::int64_t total() const { return input_tokens + output_tokens; }
  Usage& operator+=(const Usage& other) {
    input_tokens += other.input_tokens;
    output_tokens += other.output_tokens;
    reasoning_tokens += other.reasoning_tokens;
    cache_read_tokens += other.cache_read_tokens;
    cache_write_tokens += other.cache_write_tokens;
    cost_micros += other.cost_micros;
    return *this;
  }
  bool operator==(const Usage&) const = default;
};

}  // namespace run
