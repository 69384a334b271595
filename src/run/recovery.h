#pragma once
// What becomes of a run whose executor died in the middle of a step: its policy, as data of the run.
#include <optional>
#include <span>
#include <string_view>

#include "run/agent.h"

namespace run {

// "resume" ... as flags, forms and specs write it.
std::string_view name(Recovery policy);
std::optional<Recovery> parse_recovery(std::string_view name);
std::span<const std::string_view> recovery_names();

// What holds for a cut call of this tool: the tool's own policy where it has one, else the run's.
Recovery policy_of(const Spec& spec, std::string_view tool);

// What the policy asks for before a run that was cut goes on; nothing: it goes on as if it had not been.
std::optional<AppendEvents> recover(const AgentState& state, const Spec& spec, const Situation& situation);

inline constexpr std::string_view kReasonInterrupted = "run.paused.interrupted";
inline constexpr std::string_view kReasonCrashLoop = "run.paused.crash_loop";
// Executors that die at one and the same step before the run is parked.
inline constexpr std::int64_t kCrashesMax = 8;

}  // namespace run
