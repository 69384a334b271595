#include "run/agent.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/mutation.h"
#include "base/text.h"
#include "run/question.h"
#include "run/recovery.h"
#include "run/wrapped_call.h"

namespace run {

namespace {

constexpr std::string_view kLeftOut = "[Earlier messages of this conversation were left out to save room.]";

Message user_message(std::string text, std::int64_t at_ms) {
  return {.role = Role::user, .text = std::move(text), .at_ms = at_ms};
}

CallState* find_call(AgentState& state, const std::string& id) {
  const auto at = std::ranges::find_if(state.calls, [&id](const CallState& c) { return c.call.id == id; });
  return at == state.calls.end() ? nullptr : &*at;
}

void add_result(AgentState& state, const ToolCall& call, std::string text, bool is_error, std::int64_t at_ms) {
  auto* known = find_call(state, call.id);
  if (!known || known->phase == CallPhase::done) return;  // a late result is a fact, never a second answer
  known->phase = CallPhase::done;
  ++state.tool_calls;
  state.messages.push_back({.role = Role::tool,
                            .text = std::move(text),
                            .tool_call_id = call.id,
                            .tool_name = call.name,
                            .is_error = is_error,
                            .at_ms = at_ms});
  if (!std::ranges::all_of(state.calls, [](const CallState& c) { return c.phase == CallPhase::done; })) return;
  state.calls.clear();
  std::ranges::move(std::exchange(state.held, {}), std::back_inserter(state.messages));
}

// Keeps the last messages, none of which may be the answer to a call that is not there any more, and the question.
void compact(AgentState& state, std::size_t kept, std::int64_t at_ms) {
  auto& messages = state.messages;
  state.past_kept = kept > messages.size() ? kept - messages.size() : 0;
  if (messages.size() <= kept) return;
  auto first = messages.end() - static_cast<std::ptrdiff_t>(kept);
  while (first != messages.end() && first->role == Role::tool) ++first;
  std::vector<Message> left{{.role = Role::system, .text = std::string(kLeftOut), .at_ms = at_ms}};
  if (const auto question = std::ranges::find(messages.begin(), first, Role::user, &Message::role); question != first)
    left.push_back(std::move(*question));
  std::move(first, messages.end(), std::back_inserter(left));
  messages = std::move(left);
}

void note_delta(AgentState& state) {
  if (!state.delta_first) state.delta_first = state.next_index;
  state.delta_last = state.next_index;
}

void drop_open_text(AgentState& state) {
  state.content.resize(state.content.size() - state.open_text.size());
  state.open_text.clear();
  state.delta_first.reset();
  state.delta_last.reset();
}

struct Apply {
  AgentState& s;
  std::int64_t at;

  void operator()(const RunStarted&) const {
    s.started = true;
    s.status = Status::running;
  }
  void operator()(const ModelStarted&) const { s.model_open = true; }
  void operator()(const TextDelta& e) const {
    note_delta(s);
    if (!s.first_token_ms) s.first_token_ms = at - s.started_ms;
    s.open_text += e.text;
    s.content += e.text;
  }
  void operator()(const ThinkingDelta&) const { note_delta(s); }
  void operator()(const Superseded&) const { drop_open_text(s); }
  void operator()(const ModelCompleted& e) const {
    Message message{
        .role = Role::assistant, .text = s.open_text, .thinking = e.thinking, .tool_calls = e.tool_calls, .at_ms = at};
    s.messages.push_back(std::move(message));
    s.open_text.clear();
    s.delta_first.reset();
    s.delta_last.reset();
    s.model_open = false;
    s.usage += e.usage;
    s.context_tokens = e.usage.total();
    ++s.model_calls;
    s.calls.clear();
    for (const auto& call : e.tool_calls) s.calls.push_back({.call = call});
  }
  void operator()(const ToolStarted& e) const {
    if (auto* call = find_call(s, e.call.id)) call->phase = CallPhase::started, call->again = e.recall != Recall::never;
  }
  void operator()(const ToolCompleted& e) const { add_result(s, e.call, e.result, e.is_error, at); }
  void operator()(const ToolError&) const {}
  void operator()(const ContentCompleted&) const { s.content_completed = true; }
  void operator()(const RunCompleted&) const {
    if (s.status != Status::cancelled) s.status = Status::completed;
  }
  void operator()(const RunError&) const { s.status = Status::error; }
  void operator()(const RunCancelled&) const { s.status = Status::cancelled; }
  void operator()(const RunPaused& e) const {
    s.status = Status::paused;
    s.content_completed = false;
    for (const auto& waiting : e.calls)
      if (auto* call = find_call(s, waiting.id)) call->phase = CallPhase::requested;
  }
  // At the start of the turn: before the message that is being answered. While calls are under way: after their results.
  void operator()(const Notice& e) const {
    Message message{.role = e.as_user ? Role::user : Role::system, .text = e.text, .at_ms = at};
    if (!s.calls.empty()) return s.held.push_back(std::move(message));
    const bool unanswered = !s.messages.empty() && s.messages.back().role == Role::user;
    s.messages.insert(s.messages.end() - (unanswered ? 1 : 0), std::move(message));
  }
  void operator()(const ContextCompacted& e) const {
    s.context_tokens = 0;
    compact(s, static_cast<std::size_t>(std::max<std::int64_t>(0, e.kept)), at);
  }
  void operator()(const RunContinued& e) const {
    s.status = Status::running;
    for (const auto& decision : e.decisions) {
      auto* call = find_call(s, decision.call_id);
      if (!call) continue;
      if (asks_a_person(call->call.name))
        add_result(s, call->call, answer_text(call->call, decision), false, at);
      else if (decision.approved)
        call->phase = CallPhase::approved;
      else
        add_result(s, call->call, decision.note.empty() ? "The user rejected this tool call." : decision.note, true, at);
    }
  }
  // Events of flows, which have a machine of their own (run/flow.h).
  void operator()(const FlowPlanned&) const {}
  void operator()(const OpStarted&) const {}
  void operator()(const OpEnded&) const {}
  // Of coding-agent programs, likewise (run/harness.h).
  void operator()(const HarnessStarted&) const {}
  void operator()(const HarnessSession&) const {}
  void operator()(const HarnessHeard&) const {}
  void operator()(const HarnessTurn& e) const {
    s.usage += e.usage;
    s.usage.cost_micros += e.cost_micros;
    ++s.model_calls;  // as far as it can be told from outside: the calls of a turn count as one
  }
  void operator()(const HarnessEnded& e) const { s.usage += e.used; }
  void operator()(const HarnessWaits&) const {}
};

// The failure that a limit of the run calls for now, if any.
std::optional<AppendEvents> limit_reached(const AgentState& state, const Spec& spec, std::int64_t now_ms) {
  const auto& limits = spec.limits;
  if (limits.timeout_ms > 0 && now_ms - state.started_ms >= limits.timeout_ms)
    return failure(Cause::run_timeout, "the run's time limit of " + std::to_string(limits.timeout_ms / 1000) + " s has passed");
  return std::nullopt;
}

std::optional<AppendEvents> model_limit_reached(const AgentState& state, const Spec& spec) {
  const auto& limits = spec.limits;
  if (limits.turns > 0 && state.model_calls >= limits.turns)
    return failure(Cause::turn_limit, "the run's limit of " + std::to_string(limits.turns) + " model calls is reached");
  if (limits.tokens > 0 && state.usage.total() >= limits.tokens)
    return failure(Cause::token_limit, "the run's limit of " + std::to_string(limits.tokens) + " tokens is reached");
  if (limits.cost_micros > 0 && state.usage.cost_micros >= limits.cost_micros)
    return failure(Cause::cost_limit, "the run's limit of " + base::dollars(limits.cost_micros) + " is reached");
  if (limits.tool_calls > 0 && state.tool_calls + static_cast<std::int64_t>(state.calls.size()) > limits.tool_calls)
    return failure(Cause::tool_call_limit, "the run's limit of " + std::to_string(limits.tool_calls) + " tool calls is reached");
  return std::nullopt;
}

Metrics metrics(const AgentState& state, std::int64_t now_ms) {
  return {.usage = state.usage,
          .duration_ms = std::max<std::int64_t>(0, now_ms - state.started_ms),
          .first_token_ms = state.first_token_ms};
}

AppendEvents completion(const AgentState& state, const Spec& spec, std::int64_t now_ms) {
  AppendEvents end;
  end.events.push_back(ContentCompleted{});
  end.events.push_back(RunCompleted{state.content, spec.model, spec.provider, metrics(state, now_ms)});
  end.status = Status::completed;
  end.reason = state.content.empty() && state.tool_calls == 0 ? kReasonCompletedEmpty : kReasonCompleted;
  return end;
}

// The end of a run that is one call.
AppendEvents call_completion(const AgentState& state, const Spec& spec, std::int64_t now_ms) {
  const auto& result = state.messages.back();
  if (result.is_error) return failure(Cause::tool_failed, spec.call->name + " failed; its result says why");
  AppendEvents end;
  end.events.push_back(RunCompleted{result.text, "", "", metrics(state, now_ms)});
  end.status = Status::completed;
  end.reason = kReasonCompleted;
  return end;
}

AppendEvents tell(const Situation& situation) {
  AppendEvents told;
  for (const auto& [number, notice] : situation.notices) {
    told.events.push_back(notice);
    told.tells.push_back(number);
  }
  return told;
}

// A call that was under way when its executor died: an unknown outcome is said, never guessed, unless it may be repeated.
AppendEvents interrupted(const ToolCall& call, std::int64_t now_ms) {
  static constexpr std::string_view kText =
      "Interrupted: the process that ran this call died. Its outcome is unknown; it may have had effects.";
  AppendEvents events;
  events.events.push_back(ToolCompleted{call, std::string(kText), true, now_ms, 0});
  events.events.push_back(ToolError{call, std::string(kText), now_ms, 0});
  return events;
}

// The deliberate fault: recovery takes the answered calls of the last model message for due.
std::vector<ToolCall> finished_calls(const AgentState& state) {
  const auto asked = std::ranges::find_if(state.messages.rbegin(), state.messages.rend(),
                                          [](const Message& m) { return m.role == Role::assistant; });
  return asked == state.messages.rend() ? std::vector<ToolCall>{} : asked->tool_calls;
}

bool waits_for_a_person(const Spec& spec, const ToolCall& call, const ToolTraits& tools) {
  const auto name = tools.granted_name(call.name);
  if (asks_a_person(name) && find_grant(spec.tools, name)) return true;
  return needs_approval(spec, call, tools);
}

Action decide_tools(const AgentState& state, const Spec& spec, const ToolTraits& tools, const Situation& situation) {
  CallTools due;
  AppendEvents starts;
  std::vector<ToolCall> waiting;
  for (const auto& c : state.calls) {
    if (c.phase == CallPhase::started) {
      if (situation.taken_over && !c.again && policy_of(spec, c.call.name) != Recovery::retry)
        return interrupted(c.call, situation.now_ms);
      due.calls.push_back(c.call);
    } else if (c.phase == CallPhase::requested && waits_for_a_person(spec, c.call, tools)) {
      waiting.push_back(c.call);
    } else if (c.phase != CallPhase::done) {
      starts.events.push_back(ToolStarted{c.call, tools.recall(c.call)});
    }
  }
  // Starts are durable before the calls are made; what needs no approval is done before the run pauses.
  if (!starts.events.empty()) return starts;
  if (!due.calls.empty()) return due;
  ASSERT(!waiting.empty());
  AppendEvents pause;
  pause.status = Status::paused;
  pause.reason = std::ranges::all_of(waiting, [](const ToolCall& call) { return asks_a_person(call.name); }) ? kReasonInput
                                                                                                             : kReasonApproval;
  pause.events.push_back(ContentCompleted{});
  pause.events.push_back(RunPaused{state.content, std::move(waiting)});
  return pause;
}

}  // namespace

bool needs_approval(const Spec& spec, const ToolCall& call, const ToolTraits& tools) {
  const auto gated = [&](std::string_view any_name) {
    const auto* grant = find_grant(spec.tools, tools.granted_name(any_name));
    return grant && grant->gate == Gate::approve;
  };
  if (gated(call.name)) return true;
  const auto inner = wrapped_calls(tools.granted_name(call.name), call.arguments);
  return std::ranges::any_of(inner, [&](const WrappedCall& wrapped) {
    return needs_approval(spec, {.id = {}, .name = wrapped.name, .arguments = base::to_text(wrapped.arguments)}, tools);
  });
}

AgentState initial_state(const Spec& spec, std::int64_t launched_ms) {
  AgentState state;
  state.started_ms = launched_ms;
  if (spec.call)
    state.calls.push_back({.call = *spec.call});
  else
    state.messages.push_back(user_message(spec.input, launched_ms));
  return state;
}

void apply(AgentState& state, const Event& event) {
  std::visit(Apply{state, event.at_ms}, event.payload);
  ++state.next_index;
}

bool begins_step(const Payload& payload) {
  return std::holds_alternative<ModelStarted>(payload) || std::holds_alternative<ToolStarted>(payload);
}

AppendEvents failure(Cause cause, std::string message) {
  AppendEvents end;
  end.events.push_back(RunError{cause, std::move(message)});
  end.status = Status::error;
  end.reason = reason_of(cause);
  return end;
}

AppendEvents cancellation(const AgentState& state, const Spec& spec, const Situation& situation) {
  AppendEvents end;
  end.events.push_back(RunCancelled{state.content, situation.cancel_reason});
  end.events.push_back(RunCompleted{state.content, spec.model, spec.provider, metrics(state, situation.now_ms)});
  end.status = Status::cancelled;
  end.reason = kReasonCancelled;
  return end;
}

std::optional<Superseded> supersede(const AgentState& state, std::string reason) {
  if (!state.delta_first) return std::nullopt;
  return Superseded{*state.delta_first, *state.delta_last, std::move(reason)};
}

Action decide(const AgentState& state, const Spec& spec, const ToolTraits& tools, const Situation& situation) {
  if (is_terminal(state.status)) return Idle{};
  if (!state.started) return AppendEvents{.events = {RunStarted{spec.model, spec.provider}}};
  if (situation.cancel_requested) return cancellation(state, spec, situation);
  if (state.status == Status::paused) return Idle{};
  if (auto end = limit_reached(state, spec, situation.now_ms)) return *std::move(end);
  if (base::mutated(base::Mutation::rerun_finished_tool) && situation.taken_over && !state.messages.empty() &&
      state.messages.back().role == Role::tool)
    return CallTools{finished_calls(state)};
  if (auto first = recover(state, spec, situation)) return *std::move(first);
  if (state.model_open) {
    if (situation.taken_over)
      if (auto cut = supersede(state, "the process that made this model call died"))
        return AppendEvents{.events = {*std::move(cut)}};
    if (!situation.notices.empty()) return tell(situation);
    return CallModel{};
  }
  if (!state.calls.empty()) {
    if (auto end = model_limit_reached(state, spec); end && end->reason == reason_of(Cause::tool_call_limit))
      return *std::move(end);
    return decide_tools(state, spec, tools, situation);
  }
  if (spec.call) return call_completion(state, spec, situation.now_ms);
  if (state.messages.back().role == Role::assistant) return completion(state, spec, situation.now_ms);
  if (auto end = model_limit_reached(state, spec)) return *std::move(end);
  return AppendEvents{.events = {ModelStarted{spec.model, spec.provider}}};
}

}  // namespace run
