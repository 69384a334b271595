#pragma once
// The machine of flows, without I/O: apply folds a flow's log, decide says what is due. Operations are runs of their own; what has
// become of them is told to decide as part of the situation. Recovery is load, fold, decide, as with agents (run/agent.h).
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "run/agent.h"
#include "run/event.h"
#include "run/spec.h"

namespace run {

enum class OpPhase { waiting, running, done, failed, skipped, cut };

// "waiting", "running", "completed", "failed", "skipped", "cancelled".
std::string_view name(OpPhase phase);

struct FlowOpState {
  OpPhase phase = OpPhase::waiting;
  std::int64_t attempts = 0;  // begun
  std::string run_id;         // of the last attempt
  std::int64_t started_ms = 0, attempt_ms = 0, ended_ms = 0;
  std::int64_t retry_at_ms = 0;     // while it waits for another attempt
  std::int64_t provider_failures = 0;
  std::string content, cause, error, digest;
  Usage usage;  // of all attempts
  std::optional<Verdict> verdict;
  bool carried = false;
  bool ended() const { return phase != OpPhase::waiting && phase != OpPhase::running; }
};

struct FlowRound {
  std::size_t first_op = 0, ops = 0;  // of the plan
  std::int64_t planned_ms = 0;
};

// By an operation's id: each of many looks for all that it builds on, again and again.
struct IdHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>{}(id); }
};
template <typename T>
using ById = std::unordered_map<std::string, T, IdHash, std::equal_to<>>;

// What the log says.
struct FlowState {
  std::uint64_t next_index = 0;
  Status status = Status::pending;
  bool started = false;
  std::int64_t started_ms = 0, ended_ms = 0;
  FlowPlan plan;  // of all rounds
  ById<std::size_t> places;  // of its operations
  std::vector<FlowRound> rounds;
  ById<FlowOpState> ops;  // those that have begun or ended; the orchestrator's too
  Usage usage;
  std::string error;  // of a flow that failed
};

FlowState initial_flow(const Spec& spec, std::int64_t launched_ms);
void apply(FlowState& state, const Event& event);

// An operation's run, as its row and log say.
struct ChildView {
  Status status = Status::running;
  std::string reason, cause, error, content;
  Usage usage = {};
  std::vector<std::string> missing_artifacts = {};
  std::int64_t limited_until_ms = 0;  // the provider has a usage limit, which ends then; 0: it does not say
};

// From whom agents (by id) have mail that they have not read.
using UnreadMail = std::map<std::string, std::vector<std::string>, std::less<>>;

struct FlowSituation {
  std::int64_t now_ms = 0;
  bool cancel_requested = false;
  std::string cancel_reason = {};
  std::string branch_seed = {};  // what the branches of its agents are made from: the flow's own
  std::map<std::string, ChildView, std::less<>> ended = {};  // of running operations whose runs have ended
  std::optional<UnreadMail> unread = {};  // of its team, where that was looked at
};

// What the machine must know of the world.
struct FlowTraits {
  virtual ~FlowTraits() = default;
  // Whether a "provider/model[-effort]" can be called at all.
  virtual base::Result<> check(const std::string& model) const = 0;
  // Those of the flow's expected files that are not there, or empty.
  virtual std::vector<std::string> missing_files() const = 0;
};

struct StartOps {
  struct One {
    std::string op;
    std::int64_t attempt = 1;
  };
  std::vector<One> ops;
};
struct LookAtMail {};  // and ask again: who has unread mail?
struct EndOps {};      // cancel all that run, and look again when they have ended
struct AwaitOps {
  std::int64_t until_ms = 0;  // look again then at the latest; 0: when something has ended
};
using FlowAction = std::variant<StartOps, EndOps, AwaitOps, LookAtMail, AppendEvents, Idle>;

FlowAction decide(const FlowState& state, const Spec& spec, const FlowTraits& traits, const FlowSituation& situation);

// What goes into an operation: its words, its model, and what those that it depends on have brought.
std::string input_digest(const FlowState& state, const Spec& spec, const FlowOp& op);

// What a flow that resumes an ended one need not do again: everything that was done, unless something that it depends on is. With
// `retry_failed` what failed is done again, and all that follows it; else it stays failed.
std::vector<OpEnded> carried_over(const FlowState& ended, bool retry_failed);

// What the whole flow has to say: the synthesis, else what the last operations answered.
std::string flow_content(const FlowState& state);

const FlowOp* planned_op(const FlowState& state, std::string_view id);
const FlowAgent* find_agent(const FlowPlan& plan, std::string_view id);
const FlowOpState* find_op(const FlowState& state, std::string_view id);

// The model that an attempt at an operation calls, "" the flow's own: one of its fallbacks after the provider has failed, else the
// plan's, else the profile's.
std::string model_of(const FlowState& state, const Spec& spec, const FlowOp& op);
const FlowRole* role_of(const Spec& spec, const FlowAgent& agent);

inline constexpr std::int64_t kFlowRoundsMax = 3;
inline constexpr std::int64_t kLimitWaitMsMax = 26LL * 3'600'000;  // a usage limit that ends later is a failure
inline constexpr std::int64_t kLimitWaitsMax = 20;
inline constexpr std::int64_t kAnswersMax = 2;  // of a planner or a verdict: the second time it is told what was wrong

}  // namespace run
