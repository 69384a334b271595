#pragma once
// What the engine sees of a model provider: one call, streamed as deltas, with a result or a classified error.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aio/task.h"
#include "base/error.h"
#include "run/message.h"

namespace llm {

struct ToolSpec {
  std::string name;         // 1-64 of A-Za-z0-9_-
  std::string description;
  std::string schema;       // JSON Schema of the arguments, an object, as JSON text
};

struct ModelRequest {
  std::string model;        // without provider and effort
  std::string effort;       // "" or none minimal low medium high xhigh max
  std::string system;       // may be empty
  std::vector<run::Message> messages;
  std::vector<ToolSpec> tools;
  std::optional<std::int64_t> max_tokens;
  std::optional<double> temperature;
  std::optional<double> top_p;
};

// Receives a call's deltas. Called on the io thread, in order, before the call's result is known.
class DeltaSink {
 public:
  virtual ~DeltaSink() = default;
  virtual void text(std::string_view delta) = 0;      // valid UTF-8, not empty
  virtual void thinking(std::string_view delta) = 0;  // valid UTF-8, not empty
  // Waits while more than the bound of deltas is not yet durable. Awaited between network reads.
  virtual aio::Task<> ready() = 0;
};

enum class StopReason { end, tool_calls, length, refused };

// What a finished call said as a whole. The text is the join of the text deltas.
struct ModelResult {
  StopReason stop = StopReason::end;
  std::vector<run::ToolCall> tool_calls;
  std::vector<run::Thinking> thinking;
  run::Usage usage;
  std::string response_id;  // the provider's, may be empty
  bool cache_is_beside = false;  // usage.input_tokens does not count what the cache read and wrote
};

struct ModelError {
  base::Errc code;          // provider_* , network, timed_out, unsupported, invalid_argument
  std::string message;      // for people; never holds a key
  bool retryable = false;
  std::optional<std::int64_t> retry_after_ms;  // what the provider asked for
};

class Provider {
 public:
  virtual ~Provider() = default;
  // Io thread. `request` and `sink` must outlive the task. Cancelling the awaiting task closes the connection at once.
  virtual aio::Task<std::expected<ModelResult, ModelError>> call(const ModelRequest& request, DeltaSink& sink) = 0;
};

}  // namespace llm
