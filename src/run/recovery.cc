#include "run/recovery.h"

#include <algorithm>
#include <array>

namespace run {

namespace {

constexpr std::array<std::string_view, 5> kNames = {"resume", "retry", "ask", "fail", "continue-with-partial"};

// A call that nobody can say anything about: it began, and may not simply be made again.
bool cut(const CallState& call) { return call.phase == CallPhase::started && !call.again; }

// Whether a step was cut to which this policy applies.
bool cut_under(Recovery policy, const AgentState& state, const Spec& spec) {
  if (state.model_open) return spec.recovery == policy;
  return std::ranges::any_of(state.calls, [&](const CallState& c) { return cut(c) && policy_of(spec, c.call.name) == policy; });
}

// The run waits for a person; the calls that were under way are made again only if they are approved.
AppendEvents park(const AgentState& state, std::string_view reason) {
  AppendEvents events;
  if (auto superseded = supersede(state, "the process that made this model call died"))
    events.events.push_back(*std::move(superseded));
  RunPaused paused;
  paused.content = state.content.substr(0, state.content.size() - state.open_text.size());
  for (const auto& call : state.calls)
    if (call.phase == CallPhase::started) paused.calls.push_back(call.call);
  events.events.push_back(std::move(paused));
  events.status = Status::paused;
  events.reason = reason;
  return events;
}

// What the model had said becomes its whole answer; what it would have cost is not known.
AppendEvents keep_partial(const Spec& spec) {
  ModelCompleted completed;
  completed.model = spec.model;
  completed.provider = spec.provider;
  return AppendEvents{.events = {std::move(completed)}};
}

}  // namespace

std::string_view name(Recovery policy) { return kNames[static_cast<std::size_t>(policy)]; }

std::optional<Recovery> parse_recovery(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<Recovery>(at - kNames.begin());
}

std::span<const std::string_view> recovery_names() { return kNames; }

Recovery policy_of(const Spec& spec, std::string_view tool) {
  const auto* granted = find_grant(spec.tools, tool);
  return granted && granted->recovery ? *granted->recovery : spec.recovery;
}

std::optional<AppendEvents> recover(const AgentState& state, const Spec& spec, const Situation& situation) {
  if (!situation.died) return std::nullopt;
  if (situation.crashes >= kCrashesMax) return park(state, kReasonCrashLoop);
  // Of several calls that were cut, the most careful policy decides first.
  if (cut_under(Recovery::fail, state, spec)) return failure(Cause::worker_lost, "the process that executed the run died");
  if (cut_under(Recovery::ask, state, spec)) return park(state, kReasonInterrupted);
  if (cut_under(Recovery::continue_with_partial, state, spec) && state.model_open && !state.open_text.empty())
    return keep_partial(spec);
  return std::nullopt;
}

}  // namespace run
