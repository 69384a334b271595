#include "run/flow.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "run/flow_mail.h"

namespace run {

namespace {

constexpr std::int64_t kRetryMs = 1'000, kRetryMsMax = 60'000;

// One look at a flow: what is due now, in the order in which it matters.
class NextAction {
 public:
  NextAction(const FlowState& state, const Spec& spec, const FlowTraits& traits, const FlowSituation& situation)
      : s_(state), spec_(spec), flow_(*spec.flow), traits_(traits), now_(situation) {}

  FlowAction decide() const {
    if (is_terminal(s_.status)) return Idle{};
    if (!s_.started) return AppendEvents{.events = {RunStarted{spec_.model, spec_.provider}}};
    if (!now_.ended.empty()) return record_ends();
    if (auto end = ending()) return *std::move(end);
    if (s_.rounds.empty()) return plan(1);
    if (flow_.dry_run) return completion();
    return operations();
  }

 private:
  bool any_runs() const {
    return std::ranges::any_of(s_.ops, [](const auto& op) { return op.second.phase == OpPhase::running; });
  }

  FlowAction start(std::string op) const {
    const auto* known = find_op(s_, op);
    if (known && known->retry_at_ms > now_.now_ms) return AwaitOps{known->retry_at_ms};
    const auto attempt = known ? known->attempts + 1 : 1;
    return StartOps{{{std::move(op), attempt}}};
  }

  // --- ends of operations ------------------------------------------------------------------------------------------

  AppendEvents record_ends() const {
    AppendEvents events;
    for (const auto& [id, child] : now_.ended) events.events.push_back(end_of(id, child));
    return events;
  }

  OpEnded end_of(const std::string& id, const ChildView& child) const {
    const auto& op = *find_op(s_, id);
    OpEnded end{.op = id, .attempt = op.attempts, .run_id = op.run_id, .outcome = OpOutcome::failed, .usage = child.usage};
    end.duration_ms = now_.now_ms - op.started_ms;
    if (const auto* planned = planned_op(s_, id)) end.digest = input_digest(s_, spec_, *planned);
    if (child.status == Status::completed)
      judge_answer(end, child);
    else
      judge_failure(end, child);
    if (end.outcome == OpOutcome::failed && !is_ending()) end.retry_at_ms = retry_at(end, op, child.limited_until_ms);
    return end;
  }

  bool is_ending() const {
    const auto& limits = spec_.limits;
    return now_.cancel_requested || (limits.timeout_ms > 0 && now_.now_ms - s_.started_ms >= limits.timeout_ms) || budget_is_used();
  }
  bool tokens_are_used() const { return spec_.limits.tokens > 0 && s_.usage.total() >= spec_.limits.tokens; }
  bool money_is_used() const { return spec_.limits.cost_micros > 0 && s_.usage.cost_micros >= spec_.limits.cost_micros; }
  bool budget_is_used() const { return tokens_are_used() || money_is_used(); }

  void judge_answer(OpEnded& end, const ChildView& child) const {
    end.content = std::string(base::utf8_prefix(child.content, kOpContentBytesMax));
    if (end.content.size() < child.content.size()) end.content += "\n[cut here: the whole answer is in run " + end.run_id + "]";
    const auto* planned = planned_op(s_, end.op);
    if (!child.missing_artifacts.empty()) {
      end.cause = "MissingArtifact";
      for (const auto& path : child.missing_artifacts) end.error += (end.error.empty() ? "it did not make " : ", ") + path;
    } else if (child.reason == kReasonCompletedEmpty) {
      end.cause = "EmptyAnswer";
      end.error = "it ended without any text or tool call";
    } else if (is_plan_op(end.op)) {
      if (const auto read = read_plan(end.op, child.content); !read) end.cause = kInvalidAnswer, end.error = read.error().message;
    } else if (planned && planned->control) {
      const auto verdict = parse_verdict(child.content);
      if (verdict)
        end.verdict = *verdict;
      else
        end.cause = kInvalidAnswer, end.error = verdict.error().message;
    }
    if (end.cause.empty()) end.outcome = OpOutcome::done;
  }

  void judge_failure(OpEnded& end, const ChildView& child) const {
    if (child.status == Status::cancelled) {
      end.outcome = is_ending() ? OpOutcome::cut : OpOutcome::failed;
      end.cause = "Cancelled";
      end.error = "it was cancelled";
      return;
    }
    end.cause = child.cause;
    end.error = child.error;
    end.content = child.content;
    // It has used all that was left: the flow ends by that, and the operation has its turn when it is resumed.
    if (child.cause == name(Cause::token_limit) || child.cause == name(Cause::cost_limit)) end.outcome = OpOutcome::cut;
  }

  // 0: that was the last attempt.
  std::int64_t retry_at(const OpEnded& end, const FlowOpState& op, std::int64_t limited_until_ms) const {
    if (end.cause == kInvalidAnswer) return op.attempts < kAnswersMax ? now_.now_ms : 0;
    if (end.cause == "Cancelled") return 0;
    const auto* planned = planned_op(s_, end.op);
    const bool providers_fault = end.cause.starts_with("Provider");
    if (planned && providers_fault && op.provider_failures < std::ssize(planned->fallback)) return now_.now_ms;
    // A limit that ends is waited for, however few attempts are left.
    const auto wait_ms = limited_until_ms - now_.now_ms;
    if (wait_ms > 0 && wait_ms <= kLimitWaitMsMax && op.attempts < kLimitWaitsMax) return limited_until_ms;
    if (!planned) return 0;
    const auto retried = op.attempts - 1 - std::min<std::int64_t>(op.provider_failures, std::ssize(planned->fallback));
    if (retried >= planned->retries) return 0;
    return now_.now_ms + std::min(kRetryMsMax, kRetryMs << std::min<std::int64_t>(retried, 6));
  }

  // --- the end of the flow -----------------------------------------------------------------------------------------

  std::optional<FlowAction> ending() const {
    if (!is_ending()) return std::nullopt;
    if (any_runs()) return EndOps{};
    if (now_.cancel_requested) return cancelled();
    if (money_is_used()) return failure(Cause::cost_limit, "the flow's budget of " + base::dollars(spec_.limits.cost_micros) + " is used up");
    if (tokens_are_used())
      return failure(Cause::token_limit, "the flow's budget of " + std::to_string(spec_.limits.tokens) + " tokens is used up");
    return failure(Cause::run_timeout, "Flow timed out after " + std::to_string(spec_.limits.timeout_ms / 1000) + "s");
  }

  Metrics metrics() const {
    return {.usage = s_.usage, .duration_ms = std::max<std::int64_t>(0, now_.now_ms - s_.started_ms), .first_token_ms = {}};
  }

  AppendEvents cancelled() const {
    AppendEvents end;
    const auto content = flow_content(s_);
    end.events = {RunCancelled{content, now_.cancel_reason}, RunCompleted{content, spec_.model, spec_.provider, metrics()}};
    end.status = Status::cancelled;
    end.reason = kReasonCancelled;
    return end;
  }

  AppendEvents completion() const {
    AppendEvents end;
    auto content = flow_content(s_);
    end.events = {ContentCompleted{}, RunCompleted{content, spec_.model, spec_.provider, metrics()}};
    end.status = Status::completed;
    end.reason = kReasonCompleted;
    return end;
  }

  // Nothing is due any more: the flow has succeeded if all of it has.
  AppendEvents conclusion() const {
    std::size_t failed = 0;
    std::string first;
    for (const auto& op : s_.plan.operations) {
      const auto* known = find_op(s_, op.id);
      if (known && known->phase == OpPhase::done) continue;
      ++failed;
      if (known && known->phase == OpPhase::failed && first.empty()) first = "; " + op.id + ": " + known->error;
    }
    if (failed)
      return failure(Cause::op_failed, std::to_string(failed) + " of " + std::to_string(s_.plan.operations.size()) +
                                           " operations failed or were not done" + first);
    if (const auto* synthesis = find_op(s_, kSynthesisOp); synthesis && synthesis->phase == OpPhase::failed)
      return failure(Cause::op_failed, "the synthesis failed: " + synthesis->error);
    std::string missing;
    if (!flow_.expected.empty())
      for (const auto& path : traits_.missing_files()) missing += (missing.empty() ? "" : ", ") + path;
    if (!missing.empty()) return failure(Cause::missing_artifact, "promised, but not there: " + missing);
    return completion();
  }

  // --- planning ----------------------------------------------------------------------------------------------------

  base::Result<FlowPlanned> read_plan(const std::string& op, const std::string& answer) const {
    FlowPlanned planned{.round = op == kPlanOp ? 1 : base::parse_int(std::string_view(op).substr(kPlanOp.size())).value_or(2), .plan = {}};
    auto plan = flow_.fanout ? parse_requests(answer) : parse_plan(answer);
    if (!plan) return std::unexpected(plan.error());
    if (planned.round > 1) {
      auto addition = added_plan(std::move(*plan), s_.plan);
      planned.plan = std::move(addition.plan);
      planned.left_out = std::move(addition.left_out);
      if (planned.plan.operations.empty()) return planned;
    } else {
      planned.plan = std::move(*plan);
      for (std::size_t i = 0; i < planned.plan.agents.size() && flow_.fanout && i < flow_.worker_models.size(); ++i)
        planned.plan.agents[i].model = flow_.worker_models[i];
    }
    if (auto sound = check_plan(planned.plan, s_.plan); !sound) return std::unexpected(sound.error());
    if (auto known = check_models(planned.plan, spec_.limits.cost_micros > 0); !known) return std::unexpected(known.error());
    complete(planned);
    return planned;
  }

  // `all`: those too that it may come to by a role or after a failure.
  base::Result<> check_models(const FlowPlan& plan, bool all) const {
    const auto check = [this](const std::string& what, const std::string& model) -> base::Result<> {
      if (model.empty()) return {};
      auto known = traits_.check(model);
      return known ? known : base::fail(base::Errc::invalid_argument, "Invalid plan: " + what + "': " + known.error().message);
    };
    for (const auto& agent : plan.agents) {
      if (auto known = check("agent '" + agent.id, agent.model); !known) return known;
      const auto* role = role_of(spec_, agent);
      if (all && agent.model.empty() && role)
        if (auto known = check("agent '" + agent.id, role->model); !known) return known;
    }
    for (const auto& op : plan.operations)
      for (const auto& model : op.fallback)
        if (auto known = all ? check("operation '" + op.id, model) : base::Result<>(); !known) return known;
    return {};
  }

  // What the plan leaves to the flow: a cap, names, branches.
  void complete(FlowPlanned& planned) const {
    // A resumed flow's plan was cut when it was made; what later rounds have added counts against no cap.
    const auto cap = planned.round == 1 && flow_.plan && !flow_.resumed_run.empty() ? 0 : flow_.fanout ? flow_.workers : flow_.ops_max;
    if (cap > 0 && truncate_plan(planned.plan, static_cast<std::size_t>(cap)) > 0) planned.truncated_to = cap;
    name_agents(planned.plan, s_.plan);
    for (auto& agent : planned.plan.agents)
      if (agent.branch.empty()) agent.branch = branch_of(agent.id);
  }

  // A UUID that nobody can guess who does not know the orchestrator's; the same whoever computes it.
  std::string branch_of(const std::string& agent) const {
    const auto hex = base::sha256_hex(now_.branch_seed + '\0' + agent);
    static constexpr std::string_view kVariants = "89ab";
    const auto variant = kVariants[static_cast<unsigned char>(hex[16]) % 4];
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-4" + hex.substr(13, 3) + "-" + variant + hex.substr(17, 3) + "-" + hex.substr(20, 12);
  }

  FlowAction plan(std::int64_t round) const {
    if (round == 1 && flow_.plan) return given_plan();
    const auto id = plan_op(round);
    const auto* op = find_op(s_, id);
    if (!op || op->phase == OpPhase::waiting) return start(id);
    if (op->phase == OpPhase::running) return AwaitOps{};
    if (op->phase != OpPhase::done) return failure(op->cause == kInvalidAnswer ? Cause::plan_invalid : Cause::op_failed, op->error);
    auto planned = read_plan(id, op->content);
    if (!planned) return failure(Cause::plan_invalid, planned.error().message);  // a program that knows less than the one before
    return AppendEvents{.events = {*std::move(planned)}};
  }

  AppendEvents given_plan() const {
    FlowPlanned planned{.round = 1, .plan = *flow_.plan};
    if (auto sound = check_plan(without_mail(planned.plan)); !sound) return failure(Cause::plan_invalid, sound.error().message);
    // What a plan file says of models is else seen when they are called.
    if (spec_.limits.cost_micros > 0)
      if (auto known = check_models(planned.plan, true); !known) return failure(Cause::plan_invalid, known.error().message);
    complete(planned);
    AppendEvents events{.events = {std::move(planned)}};
    for (const auto& one : flow_.carried) events.events.push_back(one);
    return events;
  }

  // --- operations --------------------------------------------------------------------------------------------------

  enum class Due { yes, not_yet, never };

  // Asked of every operation that waits, again and again: the first that has not ended settles it.
  Due due(const FlowOp& op) const {
    bool stopped = false;
    for (const auto& edge : op.depends_on) {
      const auto* other = find_op(s_, edge.op);
      if (!other || !other->ended()) return Due::not_yet;
      stopped = stopped || (other->phase != OpPhase::done && edge.on_failure == OnFailure::stop);
    }
    return stopped ? Due::never : Due::yes;
  }

  static std::string first_failed(const FlowState& s, const FlowOp& op) {
    for (const auto& edge : op.depends_on)
      if (const auto* other = find_op(s, edge.op); other && other->ended() && other->phase != OpPhase::done) return edge.op;
    return {};
  }

  FlowAction operations() const {
    AppendEvents skipped;
    StartOps due_now;
    std::set<std::string_view> busy;
    std::int64_t running = 0, wake_ms = 0;
    bool regular_left = false;
    std::vector<std::pair<const FlowOp*, const FlowOpState*>> waiting;
    for (const auto& op : s_.plan.operations) {
      const auto* known = find_op(s_, op.id);
      if (known && known->phase == OpPhase::running) ++running, busy.insert(op.agent_id);
      if (!op.control && (!known || !known->ended())) regular_left = true;
      if (!known || known->phase == OpPhase::waiting) waiting.emplace_back(&op, known);
    }
    for (const auto& [planned, known] : waiting) {
      const auto& op = *planned;
      const auto how = due(op);
      if (how == Due::never)
        skipped.events.push_back(OpEnded{.op = op.id, .attempt = 0, .outcome = OpOutcome::skipped, .cause = "DependencyFailed",
                                         .error = "operation " + first_failed(s_, op) + ", which it depends on, was not done"});
      if (how != Due::yes || (op.control && regular_left)) continue;
      if (known && known->retry_at_ms > now_.now_ms) {
        wake_ms = wake_ms ? std::min(wake_ms, known->retry_at_ms) : known->retry_at_ms;
        continue;
      }
      const bool room = flow_.concurrent_max <= 0 || running < flow_.concurrent_max;
      if (!room || !busy.insert(op.agent_id).second) continue;
      ++running;
      due_now.ops.push_back({op.id, known ? known->attempts + 1 : 1});
    }
    if (!skipped.events.empty()) return skipped;
    if (!due_now.ops.empty()) return due_now;
    if (running > 0 || wake_ms > 0) return AwaitOps{wake_ms};
    return after_operations();
  }

  FlowAction after_operations() const {
    const auto& round = s_.rounds.back();
    const auto rounds = static_cast<std::int64_t>(s_.rounds.size());
    for (auto i = round.first_op; i < round.first_op + round.ops; ++i) {
      const auto& op = s_.plan.operations[i];
      const auto* known = find_op(s_, op.id);
      if (op.control && known && known->verdict && known->verdict->should_continue && rounds < kFlowRoundsMax) return plan(rounds + 1);
    }
    if (auto wakes = waking()) return *std::move(wakes);
    if (wants_synthesis()) {
      const auto* synthesis = find_op(s_, kSynthesisOp);
      if (!synthesis || synthesis->phase == OpPhase::waiting) return start(std::string(kSynthesisOp));
      if (synthesis->phase == OpPhase::running) return AwaitOps{};
    }
    return conclusion();
  }

  // Members whose work is done and who have mail get a turn of their own, before the results are brought together.
  std::optional<FlowAction> waking() const {
    if (flow_.team.empty() || !may_wake(s_)) return std::nullopt;
    if (!now_.unread) return LookAtMail{};
    auto round = mail_round(s_, *now_.unread);
    if (round.plan.operations.empty()) return std::nullopt;
    return AppendEvents{.events = {std::move(round)}};
  }

  bool wants_synthesis() const {
    if (!flow_.synthesis && !s_.plan.synthesis) return false;
    return std::ranges::any_of(s_.plan.operations, [this](const FlowOp& op) {
      const auto* known = find_op(s_, op.id);
      return known && known->phase == OpPhase::done;
    });
  }

  static constexpr std::string_view kInvalidAnswer = "InvalidAnswer";
  static constexpr std::size_t kOpContentBytesMax = 256 << 10;

  const FlowState& s_;
  const Spec& spec_;
  const FlowSpec& flow_;
  const FlowTraits& traits_;
  const FlowSituation& now_;
};

}  // namespace

FlowAction decide(const FlowState& state, const Spec& spec, const FlowTraits& traits, const FlowSituation& situation) {
  return NextAction(state, spec, traits, situation).decide();
}

std::string input_digest(const FlowState& state, const Spec& spec, const FlowOp& op) {
  std::string words = spec.input + '\0' + op.instruction + '\0' + op.guidance + '\0' + model_of(state, spec, op);
  for (const auto& edge : op.depends_on) {
    const auto* other = find_op(state, edge.op);
    words += '\0' + edge.op + '\0' + (other && other->phase == OpPhase::done ? other->content : other ? other->error : std::string());
  }
  return base::sha256_hex(words).substr(0, 16);
}

const FlowRole* role_of(const Spec& spec, const FlowAgent& agent) {
  if (spec.flow->bare) return nullptr;
  const auto at = std::ranges::find(spec.flow->roles, agent.role, &FlowRole::name);
  return at == spec.flow->roles.end() ? nullptr : &*at;
}

std::string model_of(const FlowState& state, const Spec& spec, const FlowOp& op) {
  if (const auto* known = find_op(state, op.id); known && known->provider_failures > 0 && !op.fallback.empty())
    return op.fallback[std::min(op.fallback.size(), static_cast<std::size_t>(known->provider_failures)) - 1];
  const auto* agent = find_agent(state.plan, op.agent_id);
  if (!agent) return {};
  if (!agent->model.empty()) return agent->model;
  const auto* role = role_of(spec, *agent);
  return role ? role->model : std::string();
}

}  // namespace run
