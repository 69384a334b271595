#include "engine/agent_execution.h"

#include <algorithm>
#include <limits>

#include "base/failpoint.h"
#include "base/json.h"
#include "base/limits.h"
#include "engine/hand_over.h"
#include "engine/history.h"
#include "engine/hook_facts.h"
#include "engine/memory.h"
#include "engine/model_step.h"
#include "engine/notices.h"
#include "engine/pattern_watch.h"
#include "engine/tasks.h"
#include "engine/tool_step.h"
#include "engine/tool_traits.h"
#include "engine/waker.h"
#include "run/recovery.h"
#include "run/wrapped_call.h"

namespace engine {

namespace limits = base::limits;

namespace {

constexpr std::uint64_t kLaunchEvents = 2;  // run_started and model_started are committed with the run (engine/launch.cc)

constexpr std::string_view kTakenOver = "taken_over";
constexpr std::string_view kRests = "rests", kTriesAgain = "tries_again";  // it waits before it tries once more; it has waited
constexpr std::int64_t kCrashesAtOnce = 3;  // from the third on, trying again is put off

// How many executors died since the run had `steps` finished steps.
std::int64_t count_crashes(const std::vector<store::Fact>& facts, std::int64_t steps) {
  std::int64_t crashes = 0;
  for (const auto& fact : facts) {
    if (fact.type != kTakenOver) continue;
    const auto data = base::parse_json(fact.data);
    const auto* object = data ? data->if_object() : nullptr;
    if (object && base::bool_field(*object, "died").value_or(false) && base::int_field(*object, "steps") == steps) ++crashes;
  }
  return crashes;
}

// Whether the attempt before died while it waited to try again: that says nothing of the step.
bool died_at_rest(const std::vector<store::Fact>& facts, std::int64_t epoch) {
  bool rested = false;
  for (const auto& fact : facts)
    if (fact.epoch == epoch) rested = fact.type == kRests || (rested && fact.type != kTriesAgain);
  return rested;
}

aio::Task<bool> rest(aio::Time& time, std::int64_t ms) {
  co_await time.sleep(std::chrono::milliseconds(ms));
  co_return true;
}

// Ends what is under way when the run's time is over. Looks now and then whether the run still is.
aio::Task<> end_at(aio::Time& time, std::weak_ptr<aio::Scope> scope, std::int64_t at_ms) {
  static constexpr std::int64_t kLookMs = 5'000;
  for (auto left = at_ms - time.wall_ms(); left > 0 && !scope.expired(); left = at_ms - time.wall_ms())
    co_await time.sleep(std::chrono::milliseconds(std::min(left, kLookMs)));
  if (const auto alive = scope.lock()) alive->cancel();
}

}  // namespace

AgentExecution::AgentExecution(Deps& deps, aio::TaskGroup& tasks, store::Lease lease)
    : deps_(deps),
      tasks_(tasks),
      lease_(std::move(lease)),
      tools_(std::shared_ptr<void>(), &deps.tools),  // owned by the process
      scope_(std::make_shared<aio::Scope>(deps.io)) {
  cancel_requested_ = lease_.run.cancel_requested;
  taken_over_ = lease_.taken_over;
  died_ = lease_.died;
}

std::unique_ptr<RunLog> AgentExecution::open_log() {
  return std::make_unique<RunLog>(deps_.io, deps_.time, deps_.store, deps_.counters, tasks_, lease_.run, state_.next_index,
                                  [this](const run::Event& event) { run::apply(state_, event); });
}

void AgentExecution::cancel() {
  cancel_requested_ = true;
  scope_->cancel();
}

void AgentExecution::hand_over() {
  stopping_ = true;
  scope_->cancel();
}

run::Situation AgentExecution::situation() const {
  auto now_ms = deps_.time.wall_ms();
  // When the deadline has cut a step, the time is over, though the clock be set back since: or the step would be made and cut
  // again and again, without a pause.
  if (scope_->cancelled() && !cancel_requested_ && !stopping_ && spec_.limits.timeout_ms > 0)
    now_ms = std::max(now_ms, lease_.run.began_ms + spec_.limits.timeout_ms);
  return {.now_ms = now_ms,
          .cancel_requested = cancel_requested_,
          .cancel_reason = "Run " + lease_.run.run_id + " was cancelled",
          .taken_over = taken_over_,
          .died = died_,
          .crashes = crashes_,
          .notices = notices_};
}

aio::Task<Ending> AgentExecution::run() {
  auto spec = run::decode_spec(lease_.run.spec);
  if (!spec) throw base::Broken("the run's spec cannot be read: " + spec.error().message);
  spec_ = std::move(*spec);
  // As it was when the lease was taken: were it lost meanwhile, what lies behind would be another's, and a tool call that the
  // log shows there as begun would be made here once more.
  state_ = lease_.log.count ? fold_known(lease_.run, spec_, lease_.log)
                            : co_await fold_run(deps_.store, lease_.run, spec_, lease_.run.event_count);
  log_ = open_log();
  log_->on_failure([scope = scope_] { scope->cancel(); });
  co_await look_for_tools();
  hooks_ = std::make_unique<Hooks>(deps_, lease_.run, spec_, state_, *log_);
  co_await note_take_over();
  if (spec_.limits.timeout_ms > 0)
    tasks_.spawn("deadline", end_at(deps_.time, scope_, lease_.run.began_ms + spec_.limits.timeout_ms));
  if (spec_.call && !spec_.notify_when.empty())
    tasks_.spawn("patterns", watch_patterns(deps_, lease_.run, spec_.notify_when, scope_));
  if (!spec_.after.tasks.empty()) {
    auto waiting = wait_for_earlier_tasks();
    co_await scope_->run(std::move(waiting));
  }
  if (!spec_.hooks.empty()) co_await begin_hooks();
  const auto ending = co_await loop();
  co_await hooks_->stop(ending != Ending::finished);
  if (ending == Ending::handed_over) {
    co_await log_->flush();
    base::failpoint("handover.before_release");
    released_ = co_await engine::hand_over(deps_, lease_.run);
  }
  co_return ending;
}

// Keeps the take-over as a fact. Where executors died again and again at this very step, the run waits longer and longer
// before it is tried once more; the machine parks it in the end.
aio::Task<> AgentExecution::note_take_over() {
  // A hand-over from the process that only launched the run is no take-over: nothing had been done yet.
  if (!taken_over_ || state_.next_index <= kLaunchEvents) co_return;
  const auto steps = state_.model_calls + state_.tool_calls;
  const auto facts = died_ ? co_await deps_.store.facts(lease_.run.number) : std::vector<store::Fact>();
  const bool counts = died_ && !died_at_rest(facts, lease_.run.epoch - 1);
  if (died_) crashes_ = count_crashes(facts, steps) + (counts ? 1 : 0);
  log_->add_fact(std::string(kTakenOver),
                 base::to_text(boost::json::object{{"events", state_.next_index}, {"steps", steps}, {"died", counts}}));
  if (crashes_ < kCrashesAtOnce || crashes_ >= run::kCrashesMax) co_return;
  log_->add_fact(std::string(kRests), "{}");
  const auto flushed = co_await log_->flush();
  if (!flushed) co_return;
  auto wait = rest(deps_.time, limits::kBackoffBaseMs << (crashes_ - kCrashesAtOnce));
  co_await scope_->run(std::move(wait));
  log_->add_fact(std::string(kTriesAgain), "{}");  // durable before the step is begun, as all that comes before it
}

aio::Task<> AgentExecution::fail(std::string what) {
  if (!log_) log_ = open_log();
  if (state_.next_index == 0 && lease_.run.event_count > 0) {
    // The log itself cannot be read: the end is written behind it all the same.
    state_.next_index = lease_.run.event_count;
    log_ = open_log();
  }
  if (hooks_) co_await hooks_->stop(false);
  log_->add_fact("internal_error", base::to_text(boost::json::object{{"message", what}}));
  co_await end_tools();
  auto end =
      cancel_requested_ ? run::cancellation(state_, spec_, situation()) : run::failure(run::Cause::internal, "Internal error");
  const auto done = co_await log_->end(end);
  if (!done && done.error().code == base::Errc::cancel_requested) {
    cancel_requested_ = true;
    end = run::cancellation(state_, spec_, situation());
    co_await log_->end(end);
  }
}

aio::Task<Ending> AgentExecution::loop() {
  for (;;) {
    if (log_->failure()) co_return Ending::lost;
    const ToolTraits traits(*tools_);
    if (state_.model_open) co_await look_around();
    auto action = run::decide(state_, spec_, traits, situation());
    if (std::holds_alternative<run::Idle>(action)) co_return Ending::finished;
    const bool is_ending =
        std::holds_alternative<run::AppendEvents>(action) && std::get<run::AppendEvents>(action).status.has_value();
    if (stopping_ && !is_ending) co_return Ending::handed_over;
    if (!co_await perform(std::move(action))) co_return Ending::lost;
  }
}

aio::Task<bool> AgentExecution::perform(run::Action action) {
  if (auto* events = std::get_if<run::AppendEvents>(&action)) co_return co_await append(*events);
  // What the log says is due must be durable before it is done.
  if (const auto flushed = co_await log_->flush(); !flushed) co_return false;
  if (auto* tools = std::get_if<run::CallTools>(&action)) co_return co_await call_tools(std::move(tools->calls));
  co_return co_await call_model();
}

aio::Task<bool> AgentExecution::append(const run::AppendEvents& events) {
  if (!events.status && events.tells.empty()) {
    for (const auto& payload : events.events) {
      if (run::begins_step(payload)) taken_over_ = died_ = false;
      log_->add(payload);
    }
    co_return true;
  }
  const bool terminal = events.status && run::is_terminal(*events.status);
  if (events.status && !spec_.hooks.empty() && !co_await fire_before(events)) co_return true;
  if (terminal) co_await end_tools();
  if (events.status == run::Status::cancelled) base::failpoint("cancel.before_end");
  const auto done = co_await log_->end(events);
  if (done) {
    if (terminal) base::failpoint("end.after_commit");
    if (events.status) lease_.run.status = *events.status;
    co_return true;
  }
  if (done.error().code == base::Errc::conflict)
    co_return true;  // another run has told a notice: what is left is looked for again
  // The completion met an earlier cancel: the machine decides again, knowing it.
  if (done.error().code == base::Errc::cancel_requested) {
    cancel_requested_ = true;
    co_return true;
  }
  co_return false;
}

// A call that is to follow others waits for their ends; where one has failed it is answered without being made.
aio::Task<bool> AgentExecution::wait_for_earlier_tasks() {
  const auto& call = state_.calls;
  if (call.empty() || call.front().phase != run::CallPhase::requested) co_return true;  // it has begun already
  const tool::Context session{.run_id = lease_.run.run_id, .call_id = "", .session_id = lease_.run.session_id, .spec = &spec_};
  constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max() / 2;
  const auto ended = co_await deps_.tasks->wait(session, spec_.after.tasks, tool::Tasks::Until::all, kForEver);
  const auto failed =
      std::ranges::find_if(ended, [](const tool::TaskView& task) { return task.state != tool::TaskState::completed; });
  if (spec_.after.however || failed == ended.end()) co_return true;
  const auto why = "Not run: task '" + failed->task_id + "', which had to succeed first, " +
                   std::string(tool::status_word(failed->state)) + ".";
  const auto one = call.front().call;
  log_->add(run::ToolStarted{one, run::Recall::repeat});
  log_->add(run::ToolCompleted{one, why, true, deps_.time.wall_ms(), 0});
  co_return true;
}

// What happened in the background since the last turn, and what is noted; looked for before each model call.
aio::Task<> AgentExecution::look_around() {
  shown_ = shown_memory(spec_, *tools_);
  auto news = co_await look_for_news(deps_, lease_.run, shown_);
  notices_ = std::move(news.notices);
  memory_ = std::move(news.memory);
}

// One call of a tool of this process: no server is waited for.
bool AgentExecution::is_own_call() const {
  if (!spec_.call || !spec_.hooks.empty()) return false;
  const auto* tool = deps_.tools.find(spec_.call->name);
  if (!tool) return false;
  const auto& name = tool->definition().name;
  return name != run::kBackgroundRun && name != run::kRunParallel;
}

// Which tools its MCP servers have at present.
aio::Task<> AgentExecution::look_for_tools() {
  if (spec_.mcp_servers.empty() || !deps_.tools_of || cancel_requested_ || is_own_call()) co_return;
  auto asked = deps_.tools_of(lease_.run, spec_);
  auto found = co_await scope_->run(std::move(asked));
  if (!found || !found->toolbox) co_return;
  tools_ = std::move(found->toolbox);
  if (found->missing == missing_servers_) co_return;
  missing_servers_ = std::move(found->missing);
  boost::json::array missing(missing_servers_.begin(), missing_servers_.end());
  log_->add_fact("mcp_servers", base::to_text(boost::json::object{{"missing", std::move(missing)}}));
}

// Nothing that a run's calls started outlives the run.
aio::Task<> AgentExecution::end_tools() {
  // No call has been made; where the log could not be read (started is not known) nobody can say so.
  if (state_.started && state_.tool_calls == 0 && state_.calls.empty() && spec_.hooks.empty()) co_return;
  for (const auto& granted : spec_.tools) {
    if (auto* tool = tools_->find(granted.name)) co_await tool->end_run(lease_.run.run_id, lease_.run.epoch);
    if (deps_.tasks && (granted.name == run::kRunParallel || granted.name == run::kBackgroundRun))
      co_await deps_.tasks->end_awaited(lease_.run.session_id, lease_.run.run_id);
  }
}

aio::Task<bool> AgentExecution::call_model() {
  if (!std::exchange(past_loaded_, true)) past_ = co_await past_messages(deps_.store, lease_.run);
  if (state_.past_kept) keep_last(past_, *state_.past_kept);
  hooks_->note_past(past_.size());
  taken_over_ = died_ = false;
  co_await look_for_tools();
  co_await make_room();
  // Hooks may have noted something since it was looked for.
  if (shown_ && !spec_.hooks.empty()) memory_ = co_await deps_.store.memory(lease_.run.session, *shown_);
  auto step = perform_model_step({deps_, lease_.run, spec_, tools_, *log_, *hooks_}, past_, memory_message(memory_), state_);
  const auto done = co_await scope_->run(std::move(step));
  if (!done || *done) co_return true;  // cut (the loop sees why), or completed
  co_return co_await append(done->error());
}

aio::Task<bool> AgentExecution::call_tools(std::vector<run::ToolCall> calls) {
  taken_over_ = died_ = false;
  // What outlives a call is left alone when this process stops or has lost the run; a cancel or a passed deadline ends it.
  auto goes_on = [this] { return log_->failure().has_value() || (stopping_ && !cancel_requested_); };
  auto step = perform_tool_step({deps_, lease_.run, spec_, tools_, *log_, *hooks_}, std::move(calls), goes_on);
  co_await scope_->run(std::move(step));
  co_return true;
}

}  // namespace engine
