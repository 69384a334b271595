#pragma once
// The vocabulary of the run log. An event is one line of JSON: {"type":...,"at":<ms>,<payload>}; its index is its place in
// the log. docs/formats/event-log.md is the contract; old lines stay readable for ever.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "run/flow_event.h"
#include "run/harness_event.h"
#include "run/message.h"
#include "run/status.h"

namespace run {

enum class Stop { end, tool_calls, length, refused };  // why a model stopped

struct RunStarted {
  std::string model, provider;
};
// A step begins once, however many attempts it takes; attempts lie beside the log as facts.
struct ModelStarted {
  std::string model, provider;
};
struct TextDelta {
  std::string text;
};
struct ThinkingDelta {
  std::string text;
};
// The deltas from..to (inclusive) were cut short; the call is made again and they do not count.
struct Superseded {
  std::uint64_t from = 0, to = 0;
  std::string reason;
};
struct ModelCompleted {
  std::string model, provider;
  Stop stop = Stop::end;
  std::vector<ToolCall> tool_calls;
  std::vector<Thinking> thinking;
  Usage usage;
  std::string response_id;
  std::optional<std::int64_t> first_token_ms;
};
// What recovery may do with a call that was under way, as its tool declares it.
enum class Recall {
  never,     // its outcome is unknown and said to be
  repeat,    // idempotent: call it again
  reattach,  // it goes on by itself: calling it again finds it
};
struct ToolStarted {
  ToolCall call;
  Recall recall = Recall::never;
};
struct ToolCompleted {
  ToolCall call;
  std::string result;
  bool is_error = false;
  std::int64_t started_ms = 0, duration_ms = 0;
};
// Follows a ToolCompleted that is an error.
struct ToolError {
  ToolCall call;
  std::string error;
  std::int64_t started_ms = 0, duration_ms = 0;  // as its ToolCompleted says; zero in old lines
};
struct ContentCompleted {};
struct Metrics {
  Usage usage;
  std::int64_t duration_ms = 0;
  std::optional<std::int64_t> first_token_ms;
};
// Closes the log of a completed run, and follows RunCancelled with the partial content.
struct RunCompleted {
  std::string content;
  std::string model, provider;
  Metrics metrics;
};
struct RunError {
  Cause cause = Cause::internal;
  std::string message;
};
struct RunCancelled {
  std::string content, reason;
};
struct RunPaused {
  std::string content;
  std::vector<ToolCall> calls;  // that wait for a decision
};
struct Decision {
  std::string call_id;
  bool approved = false;
  std::string note;
};
struct RunContinued {
  std::vector<Decision> decisions;
};
// The model is told that something happened besides: a background task ended, or showed what was waited for, or a hook says so.
struct Notice {
  std::string task_id;
  std::string text;       // as the model reads it
  std::string hook = {};  // whose words these are; "": the program's
  bool as_user = false;   // they stand in the conversation as the user's
};
// The conversation has become too long: from here on the model is given its last messages only.
struct ContextCompacted {
  std::int64_t kept = 0, dropped = 0;  // messages
};

using Payload = std::variant<RunStarted, ModelStarted, TextDelta, ThinkingDelta, Superseded, ModelCompleted, ToolStarted,
                             ToolCompleted, ToolError, ContentCompleted, RunCompleted, RunError, RunCancelled, RunPaused,
                             RunContinued, Notice, ContextCompacted, FlowPlanned, OpStarted, OpEnded,
                             HarnessStarted, HarnessSession, HarnessHeard, HarnessTurn, HarnessEnded, HarnessWaits>;

struct Event {
  std::int64_t at_ms = 0;
  Payload payload;
  // Of a run of kind harness: the event comes from the program's output, which has been taken up to this byte of the present
  // process' file. 0: it comes from elsewhere, or others from the same line follow.
  std::uint64_t output = 0;
};

// The stored line, without newline.
std::string encode(const Event& event);
void append_text_delta(std::string& out, std::int64_t at_ms, std::string_view text);  // the hot case of encode

// Errc::invalid_argument for a line that is no event; an unknown type too (a newer program wrote it).
base::Result<Event> decode(std::string_view line);

// The text delta's parts without parsing it whole: its time in whole seconds, as its digits, and the text as the JSON string
// (with quotes) that it is. Nothing for any other line.
struct RawTextDelta {
  std::string_view seconds;
  std::string_view json_text;
};
std::optional<RawTextDelta> raw_text_delta(std::string_view line);

// "text", "run_completed" ...
std::string_view type_name(const Payload& payload);

}  // namespace run
