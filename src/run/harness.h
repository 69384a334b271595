#pragma once
// The machine of runs that are turns of a coding-agent program, without I/O: apply folds such a run's log, decide says what is due.
// What the program does is told by events made from its output; the world (is a process there, what does it ask) is the situation.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "run/agent.h"
#include "run/event.h"
#include "run/spec.h"

namespace run {

// Something that the program is told.
struct HarnessMessage {
  std::string id, text;
  bool heard = false;  // it is in the program's conversation
};

// What the log says.
struct HarnessState {
  std::string run_id;
  std::uint64_t next_index = 0;
  Status status = Status::pending;
  bool started = false;
  std::int64_t started_ms = 0;
  std::string session_id;               // as the program confirmed it; "" not yet
  bool session_is_there = false;        // it exists, so that it is resumed and not made again
  std::string model, version;
  std::optional<HarnessStarted> process;  // the present one, or the last
  bool running = false;                 // no end of it is recorded
  std::int64_t process_ms = 0;          // when it was begun
  std::uint64_t output = 0;             // how much of its output is in the log
  bool named = false;                   // it has confirmed its session
  std::optional<HarnessTurn> turn;      // its last one, unless it has heard something since
  std::optional<HarnessEnded> ended;    // of the last process
  std::vector<HarnessMessage> messages;
  std::vector<ToolCall> open_calls;     // begun and not answered
  std::vector<ToolCall> asked;          // what the run waits for while it is paused
  std::vector<Decision> decided;        // of this process' questions
  std::string content;                  // its last answer
  Usage usage;
  std::int64_t turns = 0;
  std::int64_t crashes = 0, failures = 0, checks = 0, waits = 0;  // in a row, without a turn that was done
  std::int64_t wait_until_ms = 0;
  std::string wait_why;
};

HarnessState initial_harness(std::string run_id, std::int64_t launched_ms);
void apply(HarnessState& state, const Event& event);

// What a check command came to.
struct CheckResult {
  bool passed = false;
  std::string output;  // the end of it
};

struct HarnessSituation {
  std::int64_t now_ms = 0;
  bool cancel_requested = false;
  std::string cancel_reason = {};
  std::vector<std::pair<std::int64_t, Notice>> notices = {};  // not told yet
  std::vector<ToolCall> asks = {};  // of the program, not decided yet
  bool idles = false;               // the process is there, has heard everything, and does nothing without another word
  std::int64_t ahead = 0;           // runs that must end before this one may begin
  bool task_done = false;           // the task that this is a turn of is marked as done
  std::optional<CheckResult> check = {};  // since the last turn
};

struct FollowProcess {};  // start it or find it, give it what it is to be told, record what it says, until something is to be decided
struct EndProcess {
  std::string why;
};
struct RunCheck {};  // the command of the spec, and look again
struct WaitUntil {
  std::int64_t at_ms = 0;
};
using HarnessAction = std::variant<FollowProcess, EndProcess, RunCheck, WaitUntil, AppendEvents, Idle>;

HarnessAction decide(const HarnessState& state, const Spec& spec, const HarnessSituation& situation);

// The decision about a call that the present process asks for; null: none yet.
const Decision* find_decision(const HarnessState& state, std::string_view call_id);
bool all_heard(const HarnessState& state);

inline constexpr std::int64_t kHarnessCrashesMax = 3, kHarnessFailuresMax = 4, kHarnessChecksMax = 3, kHarnessLimitWaitsMax = 20;

}  // namespace run
