#pragma once
// The agent machine, without I/O: apply folds the log, decide says what is due. The executor (engine/) performs it and
// appends what happened. Recovery is load, fold, decide; a fork is the fold of a prefix.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "run/event.h"
#include "run/message.h"
#include "run/spec.h"
#include "run/status.h"

namespace run {

enum class CallPhase { requested, approved, started, done };

struct CallState {
  ToolCall call;
  CallPhase phase = CallPhase::requested;
  bool again = false;  // recovery may make the call again: it is repeatable, or finds itself
};

// What the log says. Copyable: a fork copies it.
struct AgentState {
  std::uint64_t next_index = 0;
  Status status = Status::pending;
  std::vector<Message> messages;  // of this run: the input, then assistant and tool messages in order
  std::string content;            // all text that counts, each text once
  Usage usage;
  std::int64_t model_calls = 0;  // finished ones
  std::int64_t tool_calls = 0;   // finished ones
  std::optional<std::int64_t> first_token_ms;
  std::int64_t started_ms = 0;
  bool started = false;  // run_started is there

  bool model_open = false;                               // a model call began and has not completed
  std::string open_text;                                 // its deltas that count so far
  std::optional<std::uint64_t> delta_first, delta_last;  // their indices, thinking included
  std::vector<CallState> calls;                          // of the last model message, until all are done
  std::vector<Message> held;                             // what hooks said while calls were under way: it follows their results
  std::optional<std::size_t> past_kept;  // after a compaction: so many messages of the runs before are still given to the model
  std::int64_t context_tokens = 0;       // of the last model call, both ways
  bool content_completed = false;
};

AgentState initial_state(const Spec& spec, std::int64_t launched_ms);
void apply(AgentState& state, const Event& event);

// What is true besides the log.
struct Situation {
  std::int64_t now_ms = 0;
  bool cancel_requested = false;
  std::string cancel_reason;  // "Run X was cancelled"
  // Just taken over: a model call or tool call that the log shows as under way has no one who performs it. False as soon as
  // this executor appends an event that begins a step: what is under way after that is its own.
  bool taken_over = false;
  bool died = false;         // ... because its executor died, not because it handed the run over
  std::int64_t crashes = 0;  // executors that died since the last step was completed
  // What the model is to be told before its next call, with the numbers that the store knows them by.
  std::vector<std::pair<std::int64_t, Notice>> notices;
};
bool begins_step(const Payload& payload);

struct CallModel {};  // make the model call; its ModelStarted is already in the log
struct CallTools {
  std::vector<ToolCall> calls;  // call these, in parallel
};
struct AppendEvents {
  std::vector<Payload> events;
  std::optional<Status> status = {};  // set with the last event, in the same transaction
  std::string reason = {};
  std::vector<std::int64_t> tells = {};  // notices that are told by it, in the same transaction
};
struct Idle {};  // terminal or paused
using Action = std::variant<CallModel, CallTools, AppendEvents, Idle>;

// What the machine must know of tools.
struct ToolTraits {
  virtual ~ToolTraits() = default;
  // Asked when a tool's start is recorded.
  virtual Recall recall(const ToolCall& call) const = 0;
  // The name under which a tool is granted, by any of its names; "" for one that does not exist.
  virtual std::string granted_name(std::string_view any_name) const = 0;
};

Action decide(const AgentState& state, const Spec& spec, const ToolTraits& tools, const Situation& situation);

// Whether a person must allow this call: it, or one that it wraps.
bool needs_approval(const Spec& spec, const ToolCall& call, const ToolTraits& tools);

// The events that end a run in failure, from any state.
AppendEvents failure(Cause cause, std::string message);
// The events that end a cancelled run with what it has.
AppendEvents cancellation(const AgentState& state, const Spec& spec, const Situation& situation);
// The deltas of a model call that was cut, marked as not counting; nothing if none was streamed.
std::optional<Superseded> supersede(const AgentState& state, std::string reason);

}  // namespace run
