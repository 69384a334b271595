#include "run/harness.h"

#include <algorithm>

#include "base/text.h"

namespace run {

namespace {

constexpr std::int64_t kRetryMs = 2'000, kRetryMsMax = 60'000;
constexpr std::int64_t kQueueMs = 500;  // how often one that waits for its turn looks
constexpr std::int64_t kLimitStepMs = 2'000;  // the shortest wait for a usage limit
constexpr std::int64_t kLimitUnknownMs = 15 * 60'000;  // a usage limit of which nobody says when it ends is looked at again then
constexpr std::string_view kGoOn =
    "You were interrupted: the process that you ran in ended in the middle of its work. Look at what is there, do not repeat what has "
    "been done, and go on with what you were asked to do.";
constexpr std::string_view kGoOnAfterLimit = "The usage limit is over. Go on with what you were asked to do.";
constexpr std::string_view kGoOnAfterFailure = "The last request to the model failed. Go on with what you were asked to do.";

// --- folding -------------------------------------------------------------------------------------------------------------

struct Fold {
  HarnessState& s;
  std::int64_t at;

  HarnessMessage& message(const std::string& id, const std::string& text) const {
    const auto known = std::ranges::find(s.messages, id, &HarnessMessage::id);
    return known != s.messages.end() ? *known : s.messages.emplace_back(id, text);
  }
  void close_call(const std::string& id) const {
    std::erase_if(s.open_calls, [&id](const ToolCall& call) { return call.id == id; });
  }
  void end(Status status) const { s.status = status; }

  void operator()(const RunStarted&) const {
    s.started = true;
    s.status = Status::running;
    s.started_ms = at;
  }
  void operator()(const HarnessStarted& e) const {
    s.process = e;
    s.running = true;
    s.process_ms = at;
    s.output = 0;
    s.named = false;
    s.turn.reset();
    s.ended.reset();
    s.open_calls.clear();
    s.decided.clear();
    s.wait_until_ms = 0;
    s.wait_why.clear();
    if (!e.message_id.empty()) message(e.message_id, e.prompt);
  }
  void operator()(const HarnessSession& e) const {
    s.session_id = e.session_id;
    s.session_is_there = s.named = true;
    if (!e.model.empty()) s.model = e.model;
    if (!e.version.empty()) s.version = e.version;
  }
  void operator()(const HarnessHeard& e) const {
    for (auto& one : s.messages)
      if (one.id == e.message_id) one.heard = true;
    s.turn.reset();
  }
  void operator()(const HarnessTurn& e) const {
    s.turn = e;
    s.usage += e.usage;
    s.usage.cost_micros += e.cost_micros;
    ++s.turns;
    if (e.outcome != TurnOutcome::done) return;
    s.content = e.text;
    s.crashes = s.failures = s.waits = 0;
  }
  void operator()(const HarnessEnded& e) const {
    s.running = false;
    s.ended = e;
    s.usage += e.used;
    s.open_calls.clear();
    // A session that cannot be made because it is there, is there.
    if (!s.named && s.process && !s.process->resumes && e.words.contains("already in use")) s.session_is_there = true;
    if (!s.turn && !(e.exit_code && *e.exit_code < 128)) ++s.crashes;
    if (s.turn && s.turn->outcome == TurnOutcome::again) ++s.failures;
  }
  void operator()(const HarnessWaits& e) const {
    s.wait_until_ms = e.until_ms;
    s.wait_why = e.why;
    ++s.waits;
  }
  void operator()(const Notice& e) const { message(e.task_id.empty() ? harness_message_id(s.run_id, "notice " + std::to_string(s.next_index)) : e.task_id, e.text); }
  void operator()(const ToolStarted& e) const { s.open_calls.push_back(e.call); }
  void operator()(const ToolCompleted& e) const { close_call(e.call.id); }
  void operator()(const RunPaused& e) const {
    s.status = Status::paused;
    s.asked = e.calls;
  }
  void operator()(const RunContinued& e) const {
    s.status = Status::running;
    s.asked.clear();
    s.decided.insert(s.decided.end(), e.decisions.begin(), e.decisions.end());
  }
  void operator()(const RunCompleted&) const {
    if (!is_terminal(s.status)) end(Status::completed);
  }
  void operator()(const RunError&) const { end(Status::error); }
  void operator()(const RunCancelled&) const { end(Status::cancelled); }
  template <class Other>
  void operator()(const Other&) const {}
};

// --- deciding ------------------------------------------------------------------------------------------------------------

class NextStep {
 public:
  NextStep(const HarnessState& state, const Spec& spec, const HarnessSituation& situation)
      : s_(state), spec_(spec), harness_(*spec.harness), now_(situation) {}

  HarnessAction decide() const {
    if (is_terminal(s_.status)) return Idle{};
    if (now_.cancel_requested) return cancelled();
    if (s_.status == Status::paused) return Idle{};
    if (!s_.started) return AppendEvents{.events = {RunStarted{spec_.model, spec_.provider}}};
    if (time_is_over()) return timed_out();
    if (budget_is_used()) return over_budget();
    if (!now_.notices.empty()) return tell_notices();
    if (s_.running && !now_.asks.empty()) return ask();
    if (s_.running && now_.idles) return nudge();
    if (s_.running) return FollowProcess{};
    if (!s_.process && now_.ahead > 0) return WaitUntil{now_.now_ms + kQueueMs};
    if (!s_.process) return begin("");
    if (s_.wait_until_ms > now_.now_ms) return WaitUntil{s_.wait_until_ms};
    return after_process();
  }

 private:
  static AppendEvents fail(Cause cause, std::string message) { return failure(cause, std::move(message)); }

  HarnessAction cancelled() const {
    if (s_.running) return EndProcess{"cancelled"};
    AppendEvents events;
    events.events = {RunCancelled{s_.content, now_.cancel_reason}, RunCompleted{s_.content, s_.model, spec_.provider, metrics()}};
    events.status = Status::cancelled;
    events.reason = std::string(kReasonCancelled);
    return events;
  }

  bool time_is_over() const { return spec_.limits.timeout_ms > 0 && now_.now_ms - s_.started_ms >= spec_.limits.timeout_ms; }
  bool money_is_used() const { return spec_.limits.cost_micros > 0 && s_.usage.cost_micros >= spec_.limits.cost_micros; }
  bool tokens_are_used() const { return spec_.limits.tokens > 0 && s_.usage.total() >= spec_.limits.tokens; }
  // What is done is done, whatever it took.
  bool budget_is_used() const { return (money_is_used() || tokens_are_used()) && !(s_.turn && s_.turn->outcome == TurnOutcome::done && all_heard(s_)); }
  HarnessAction over_budget() const {
    if (s_.running) return EndProcess{money_is_used() ? "money" : "tokens"};
    const auto budget = money_is_used() ? base::dollars(spec_.limits.cost_micros) : std::to_string(spec_.limits.tokens) + " tokens";
    return fail(money_is_used() ? Cause::cost_limit : Cause::token_limit, "the run's budget of " + budget + " is used up; its session can be gone on with");
  }
  HarnessAction timed_out() const {
    if (s_.running) return EndProcess{"timeout"};
    return fail(Cause::run_timeout, "the run's time limit of " + std::to_string(spec_.limits.timeout_ms / 1000) + " s has passed");
  }

  AppendEvents tell_notices() const {
    AppendEvents events;
    for (const auto& [number, notice] : now_.notices) {
      events.events.push_back(notice);
      events.tells.push_back(number);
    }
    return events;
  }

  AppendEvents ask() const {
    return {.events = {RunPaused{s_.content, now_.asks}}, .status = Status::paused, .reason = std::string(kReasonApproval)};
  }

  // It has heard everything, in a process that has ended since, and waits for another word.
  static AppendEvents nudge() { return {.events = {Notice{.task_id = {}, .text = std::string(kGoOn), .hook = {}, .as_user = true}}}; }

  const HarnessMessage* first_unheard() const {
    const auto found = std::ranges::find(s_.messages, false, &HarnessMessage::heard);
    return found == s_.messages.end() ? nullptr : &*found;
  }

  // Its process ended in the middle of what it had been told.
  bool is_cut() const {
    const auto* told = s_.process && s_.ended && !s_.turn ? find_message(s_.process->message_id) : nullptr;
    return told && told->heard;
  }
  const HarnessMessage* find_message(const std::string& id) const {
    const auto found = std::ranges::find(s_.messages, id, &HarnessMessage::id);
    return found == s_.messages.end() ? nullptr : &*found;
  }

  // Another process, or the first: it is told what has not been heard yet, else to go on; that first where its work was cut.
  AppendEvents begin(std::string why, std::string_view go_on = kGoOn) const {
    HarnessStarted next;
    next.process = s_.process ? s_.process->process + 1 : 1;
    next.session_id = s_.session_id.empty() ? harness_.session_id : s_.session_id;
    next.resumes = s_.session_is_there || harness_.resumes;
    next.why = std::move(why);
    if (!s_.process && !spec_.input.empty()) {
      next.prompt = spec_.input;
      next.message_id = harness_message_id(s_.run_id, "prompt");
    } else if (const auto* unheard = first_unheard(); unheard && !is_cut()) {
      next.prompt = unheard->text;
      next.message_id = unheard->id;
    } else {
      next.prompt = go_on;
      next.message_id = harness_message_id(s_.run_id, "process " + std::to_string(next.process));
    }
    return {.events = {std::move(next)}};
  }

  AppendEvents wait(std::string why, std::int64_t until_ms) const { return {.events = {HarnessWaits{std::move(why), until_ms}}}; }

  HarnessAction after_process() const {
    if (s_.turn) {
      switch (s_.turn->outcome) {
        case TurnOutcome::done: return after_answer();
        case TurnOutcome::limited: return after_limit();
        case TurnOutcome::again: return after_passing_failure();
        case TurnOutcome::denied: return fail(Cause::provider_auth, s_.turn->error);
        case TurnOutcome::failed: return fail(Cause::harness_failed, s_.turn->error);
        case TurnOutcome::interrupted: return fail(Cause::harness_failed, "its turn was interrupted from outside; its session can be gone on with");
      }
    }
    return after_silence();
  }

  HarnessAction after_answer() const {
    if (first_unheard()) return begin("message");
    if (!harness_.check.empty() && !now_.task_done) {
      if (!now_.check) return RunCheck{};
      if (!now_.check->passed) return after_failed_check();
    }
    if (harness_.unattended && !harness_.task.empty() && !now_.task_done)
      return fail(Cause::not_marked_done, "the agent ended without marking task '" + harness_.task + "' as done");
    AppendEvents events;
    events.events = {ContentCompleted{}, RunCompleted{s_.content, s_.model, spec_.provider, metrics()}};
    events.status = Status::completed;
    events.reason = std::string(base::trim(s_.content).empty() ? kReasonCompletedEmpty : kReasonCompleted);
    return events;
  }

  HarnessAction after_failed_check() const {
    if (s_.checks >= kHarnessChecksMax)
      return fail(Cause::check_failed, "the check still fails after " + std::to_string(kHarnessChecksMax) + " more turns: " + now_.check->output);
    return begin("check", "The check of your work failed. Put right what it says.\n\n" + now_.check->output);
  }

  HarnessAction after_limit() const {
    if (s_.wait_until_ms) return begin("limit", kGoOnAfterLimit);  // the wait is over
    // What a program says of the time may be no more than its own next try: each wait in a row is at least twice as long as the last.
    const auto least = std::min(kLimitStepMs << std::clamp<std::int64_t>(s_.waits, 0, 10), kLimitUnknownMs);
    const auto until = s_.turn->until_ms ? std::max(s_.turn->until_ms, now_.now_ms + least) : now_.now_ms + kLimitUnknownMs;
    const auto wait_max = harness_.limits.limit_wait_ms;
    if (s_.waits >= kHarnessLimitWaitsMax || wait_max < 0 || (wait_max > 0 && until - now_.now_ms > wait_max)) return fail(Cause::provider_limited, s_.turn->error);
    return wait("limit: " + s_.turn->error, until);
  }

  HarnessAction after_passing_failure() const {
    if (s_.failures >= kHarnessFailuresMax) return fail(Cause::provider_failed, s_.turn->error);
    if (s_.wait_until_ms) return begin("again", kGoOnAfterFailure);
    return wait("again: " + s_.turn->error, now_.now_ms + back_off(s_.failures));
  }

  static std::int64_t back_off(std::int64_t times) {
    return std::min(kRetryMs << std::clamp<std::int64_t>(times - 1, 0, 10), kRetryMsMax);
  }

  // It ended without a last word.
  HarnessAction after_silence() const {
    const auto& end = *s_.ended;
    if (!s_.named && s_.session_is_there && !s_.process->resumes) return begin("its session is there");
    const auto words = end.words.empty() ? std::string() : ": " + end.words;
    if (end.exit_code == 0) return fail(Cause::no_result, "it ended without a result" + words);
    if (end.why == "spawn_failed" || (end.exit_code && *end.exit_code < 128))
      return fail(Cause::harness_failed, (end.why == "spawn_failed" ? "it could not be started" : "it ended with exit code " + std::to_string(*end.exit_code)) + words);
    if (s_.crashes >= kHarnessCrashesMax)
      return fail(Cause::worker_lost, "it ended " + std::to_string(s_.crashes) + " times in the middle of its work (" + end.why + ")" + words);
    if (s_.crashes > 1 && !s_.wait_until_ms) return wait("again: " + end.why, now_.now_ms + back_off(s_.crashes - 1));
    return begin(end.why);
  }

  Metrics metrics() const { return {s_.usage, now_.now_ms - s_.started_ms, std::nullopt}; }

  const HarnessState& s_;
  const Spec& spec_;
  const HarnessSpec& harness_;
  const HarnessSituation& now_;
};

}  // namespace

HarnessState initial_harness(std::string run_id, std::int64_t launched_ms) {
  HarnessState state;
  state.run_id = std::move(run_id);
  state.started_ms = launched_ms;
  return state;
}

void apply(HarnessState& state, const Event& event) {
  std::visit(Fold{state, event.at_ms}, event.payload);
  if (const auto* begun = std::get_if<HarnessStarted>(&event.payload); begun && begun->why == "check") ++state.checks;
  if (event.output) state.output = event.output;
  ++state.next_index;
}

HarnessAction decide(const HarnessState& state, const Spec& spec, const HarnessSituation& situation) {
  return NextStep(state, spec, situation).decide();
}

const Decision* find_decision(const HarnessState& state, std::string_view call_id) {
  const auto found = std::ranges::find(state.decided, call_id, &Decision::call_id);
  return found == state.decided.end() ? nullptr : &*found;
}

bool all_heard(const HarnessState& state) { return std::ranges::all_of(state.messages, &HarnessMessage::heard); }

}  // namespace run
