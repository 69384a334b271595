#include "engine/flow_execution.h"

#include <sys/stat.h>

#include <filesystem>

#include "base/failpoint.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/cost.h"
#include "engine/flow_notify.h"
#include "engine/flow_team.h"
#include "engine/hand_over.h"
#include "engine/history.h"
#include "engine/model_step.h"
#include "llm/model_spec.h"
#include "run/flow_mail.h"
#include "run/flow_prompts.h"

namespace engine {

namespace limits = base::limits;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kEndMs = 15'000;  // what the ends of operations may take when the flow itself is broken
constexpr std::int64_t kTendMs = 500;  // how often runs that nobody executes are looked for

std::vector<std::string> missing_of(const std::string& directory, const std::vector<std::string>& paths) {
  std::vector<std::string> missing;
  for (const auto& path : paths) {
    std::error_code ec;
    const auto size = fs::file_size(directory + "/" + path, ec);
    if (ec || size == 0) missing.push_back(path);
  }
  return missing;
}

// Models and files as this process knows them.
class World final : public run::FlowTraits {
 public:
  World(Deps& deps, const run::Spec& spec) : deps_(deps), spec_(spec) {}
  base::Result<> check(const std::string& model) const override {
    const auto named = llm::parse_model_spec(model);
    if (!named) return std::unexpected(named.error());
    if (spec_.limits.cost_micros > 0)
      if (auto known = cost_is_known(deps_.prices, named->provider, named->model); !known) return known;
    llm::Endpoint endpoint;  // a coding agent needs none: whether its program is there is seen when it is started
    endpoint.provider = named->provider;
    if (named->provider == spec_.provider) endpoint.base_url = spec_.base_url;
    return deps_.models.usable(endpoint);
  }
  std::vector<std::string> missing_files() const override { return missing_of(spec_.flow->directory, spec_.flow->expected); }

 private:
  Deps& deps_;
  const run::Spec& spec_;
};

aio::Task<std::int64_t> limited_until(store::Store& store, store::RunNumber run) {
  std::int64_t until_ms = 0;
  for (const auto& fact : co_await store.facts(run)) {
    if (fact.type != kLimitedFact) continue;
    const auto data = base::parse_json(fact.data);
    if (const auto* o = data ? data->if_object() : nullptr) until_ms = base::int_or_zero(*o, "until_ms");
  }
  co_return until_ms;
}

std::optional<run::ModelChoice> choice_of(const std::string& model) {
  if (model.empty()) return std::nullopt;
  const auto named = llm::parse_model_spec(model);
  if (!named) return std::nullopt;
  return run::ModelChoice{named->provider, named->model, named->effort};
}

void apply_lines(run::FlowState& state, const store::Slice& slice) {
  std::string_view rest = *slice.lines;
  for (auto index = slice.first; !rest.empty(); ++index) {
    const auto end = rest.find('\n');
    const auto event = run::decode(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (index < state.next_index) continue;
    if (!event) throw base::Broken("event " + std::to_string(index) + " of the flow cannot be read: " + event.error().message);
    run::apply(state, *event);
  }
}

}  // namespace

aio::Task<run::FlowState> fold_flow(store::Store& store, const store::Run& run, const run::Spec& spec, std::uint64_t until) {
  auto state = run::initial_flow(spec, run.began_ms);
  if (run.first_kept > 0) throw base::Broken("the flow's events were given up by retention");
  while (state.next_index < until) {
    const auto slice = co_await store.read(run.number, state.next_index);
    if (!slice.count) break;
    apply_lines(state, slice);
  }
  co_return state;
}

FlowExecution::FlowExecution(Deps& deps, aio::TaskGroup& tasks, Executor& executor, store::Lease lease)
    : deps_(deps), tasks_(tasks), executor_(executor), lease_(std::move(lease)) {
  cancel_requested_ = lease_.run.cancel_requested;
}

void FlowExecution::cancel() {
  cancel_requested_ = true;
  deps_.logs.ended().notify_all();
}

void FlowExecution::hand_over() {
  stopping_ = true;
  deps_.logs.ended().notify_all();
}

void FlowExecution::stop_after_step() { hand_over(); }

aio::Task<Ending> FlowExecution::run() {
  auto spec = run::decode_spec(lease_.run.spec);
  if (!spec || !spec->flow) throw base::Broken("the flow's spec cannot be read");
  spec_ = std::move(*spec);
  worker_base_ = run::worker_base(spec_);
  state_ = co_await fold_flow(deps_.store, lease_.run, spec_, lease_.run.event_count);
  log_ = std::make_unique<RunLog>(deps_.io, deps_.time, deps_.store, deps_.counters, tasks_, lease_.run, state_.next_index,
                                  [this](const run::Event& event) { run::apply(state_, event); });
  log_->on_failure([this] { deps_.logs.ended().notify_all(); });
  log_->hold();  // how an operation ended is committed with what begins after it, and not before it: see await
  co_await find_children();
  const auto ending = co_await loop();
  if (ending == Ending::handed_over) {
    co_await log_->flush();
    released_ = co_await engine::hand_over(deps_, lease_.run);
  }
  co_return ending;
}

aio::Task<> FlowExecution::fail(std::string what) {
  if (!log_)
    log_ = std::make_unique<RunLog>(deps_.io, deps_.time, deps_.store, deps_.counters, tasks_, lease_.run, lease_.run.event_count,
                                    [this](const run::Event& event) { run::apply(state_, event); });
  log_->add_fact("internal_error", base::to_text(boost::json::object{{"message", what}}));
  const auto until = deps_.time.steady_ms() + kEndMs;
  while (children_.size() > ended_.size() && deps_.time.steady_ms() < until && !log_->failure() && !stopping_) co_await end_children();
  const auto done = co_await log_->end(run::failure(run::Cause::internal, "Internal error"));
  if (done || done.error().code != base::Errc::cancel_requested) co_return;
  const auto text = "Run " + lease_.run.run_id + " was cancelled";
  co_await log_->end({.events = {run::RunCancelled{"", text}, run::RunCompleted{}}, .status = run::Status::cancelled, .reason = std::string(run::kReasonCancelled)});
}

aio::Task<Ending> FlowExecution::loop() {
  const World world(deps_, spec_);
  for (;;) {
    if (log_->failure()) co_return Ending::lost;
    if (stopping_ && !cancel_requested_) co_return Ending::handed_over;
    co_await look_at_children();
    const run::FlowSituation situation{.now_ms = deps_.time.wall_ms(),
                                       .cancel_requested = cancel_requested_,
                                       .cancel_reason = "Run " + lease_.run.run_id + " was cancelled",
                                       .branch_seed = lease_.run.session_id,
                                       .ended = std::exchange(ended_, {}),
                                       .unread = std::exchange(unread_, {})};
    auto action = run::decide(state_, spec_, world, situation);
    if (std::holds_alternative<run::Idle>(action)) co_return Ending::finished;
    if (!co_await perform(std::move(action))) co_return Ending::lost;
  }
}

aio::Task<bool> FlowExecution::perform(run::FlowAction action) {
  if (auto* events = std::get_if<run::AppendEvents>(&action)) co_return co_await append(std::move(*events));
  if (const auto* due = std::get_if<run::StartOps>(&action)) co_await start(*due);
  if (std::holds_alternative<run::EndOps>(action)) co_await end_children();
  if (std::holds_alternative<run::LookAtMail>(action)) unread_ = co_await unread_mail(deps_, spec_, state_);
  if (const auto* await_ops = std::get_if<run::AwaitOps>(&action)) co_await await(await_ops->until_ms);
  co_return !log_->failure().has_value();
}

aio::Task<bool> FlowExecution::append(run::AppendEvents events) {
  if (!events.status) {
    for (auto& payload : events.events) {
      if (const auto* ended = std::get_if<run::OpEnded>(&payload)) children_.erase(ended->op);
      log_->add(std::move(payload));
    }
    co_await tell_mail();
    co_return true;
  }
  base::failpoint("flow.before_end");
  const auto done = co_await log_->end(events);
  if (done) {
    lease_.run.status = *events.status;
    if (!spec_.flow->notify.empty()) co_await notify_end(deps_, executor_, lease_.run.run_id);
    co_return true;
  }
  if (done.error().code == base::Errc::cancel_requested) {
    cancel_requested_ = true;
    co_return true;
  }
  co_return false;
}

// An agent's directory is there before its first operation. Only then: a plan may have hundreds, and nothing begins meanwhile.
void FlowExecution::make_directory(const run::FlowAgent& agent) {
  const auto path = run::agent_directory(spec_, agent.id);
  if (mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return;
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) base::log::warning("an agent's directory cannot be made", {{"run", lease_.run.run_id}, {"reason", ec.message()}});
}

// What is told to the team is durable first.
aio::Task<> FlowExecution::tell_mail() {
  if (spec_.flow->team.empty() || state_.rounds.empty()) co_return;
  if (const auto flushed = co_await log_->flush(); !flushed) co_return;
  co_await tell_team(deps_, lease_.run, spec_, state_, told_);
}

// After a take-over: the runs of what the log shows as running.
aio::Task<> FlowExecution::find_children() {
  for (const auto& [id, op] : state_.ops) {
    if (op.phase != run::OpPhase::running) continue;
    auto run = co_await deps_.store.find_run(op.run_id);
    if (run)
      children_[id] = std::make_unique<Child>(deps_.logs, std::move(*run));
    else
      ended_[id] = {.status = run::Status::error, .reason = {}, .cause = "WorkerLost", .error = "its run was removed", .content = {}};
  }
  co_await tell_mail();
}

// All at once: their launches share a commit.
aio::Task<> FlowExecution::start(const run::StartOps& due) {
  aio::TaskGroup starts(deps_.io, [](const std::string&, const std::string&) {});
  std::exception_ptr broken;
  const auto one = [](FlowExecution& flow, std::string op, std::int64_t attempt, std::exception_ptr& failure) -> aio::Task<> {
    try {
      co_await flow.start(std::move(op), attempt);
    } catch (const base::Broken&) {
      failure = std::current_exception();
    }
  };
  for (const auto& each : due.ops) starts.spawn("start " + each.op, one(*this, each.op, each.attempt, broken));
  co_await starts.join();
  if (broken) std::rethrow_exception(broken);
}

// The run is durable before the flow says that the operation has begun; launched again after a crash it is found by its key.
aio::Task<> FlowExecution::start(std::string op, std::int64_t attempt) {
  const auto* planned = run::planned_op(state_, op);
  const auto* agent = planned ? run::find_agent(state_.plan, planned->agent_id) : nullptr;
  if (agent) make_directory(*agent);
  LaunchRequest request;
  request.spec = run::op_spec(state_, spec_, worker_base_, op, attempt, choice_of(run::flow_model(state_, spec_, op)));
  if (request.spec.work_directory.empty()) request.spec.work_directory = spec_.work_directory;
  if (agent && !spec_.flow->team.empty()) seat_worker(request.spec, spec_, state_, *agent);
  if (agent && run::is_mail_op(op)) co_await give_mail(deps_, lease_.run, spec_, *agent, op, request.spec);
  request.component_id = agent ? agent->id : "orchestrator";
  request.component_name = agent ? agent->name : "orchestrator";
  request.session_id = agent ? agent->branch : lease_.run.session_id;
  request.session_name = agent ? agent->name : "";
  request.user_id = lease_.run.user_id;
  request.parent_run_id = lease_.run.run_id;
  request.group_id = lease_.run.group_id;
  request.origin = lease_.run.origin;
  request.launch_key = "flow\x1f" + lease_.run.run_id + "\x1f" + op + "\x1f" + std::to_string(attempt);
  request.request_digest = base::sha256_hex(op);
  auto launched = co_await executor_.launch(std::move(request));
  if (launched.known == store::Known::no_room) {
    co_await deps_.time.sleep(std::chrono::milliseconds(kTendMs));  // the home is full: the operation is still due then
    co_return;
  }
  base::failpoint("flow.after_launch");
  log_->add(run::OpStarted{op, attempt, launched.run.run_id});
  children_[op] = std::make_unique<Child>(deps_.logs, std::move(launched.run));
}

aio::Task<> FlowExecution::end_children() {
  if (!std::exchange(cancelled_children_, true))
    for (const auto& [op, child] : children_) co_await executor_.cancel(child->run.run_id);
  co_await await(0);
}

aio::Task<> FlowExecution::await(std::int64_t until_ms) {
  // What is started has a key, so that the same comes out of the same ends once more should this process die before.
  log_->release();
  log_->hold();
  const auto seen = deps_.logs.ends();
  co_await look_at_children();
  if (!ended_.empty() || deps_.logs.ends() != seen || log_->failure() || (stopping_ && !cancel_requested_)) co_return;
  if (cancel_requested_ && !cancelled_children_) co_return;
  auto wait_ms = kTendMs;
  const auto bounded_by = [&](std::int64_t at_ms) {
    if (at_ms > 0) wait_ms = std::clamp<std::int64_t>(at_ms - deps_.time.wall_ms(), 1, wait_ms);
  };
  bounded_by(until_ms);
  if (spec_.limits.timeout_ms > 0) bounded_by(state_.started_ms + spec_.limits.timeout_ms);
  co_await aio::wait_for(deps_.time, deps_.logs.ended(), std::chrono::milliseconds(wait_ms));
}

aio::Task<> FlowExecution::look_at_children() {
  const auto now = deps_.time.steady_ms();
  const bool tend = now - looked_ms_ >= kTendMs;
  if (tend) looked_ms_ = now;
  for (auto& [op, child] : children_) {
    const auto turns = child->reader.turns();
    if (ended_.contains(op) || (!tend && child->looked == turns)) continue;
    child->looked = turns;
    if (auto heard = heard_of(op, *child)) {
      ended_[op] = *std::move(heard);
      continue;
    }
    auto row = co_await deps_.store.find_run(child->run.run_id);
    if (!row) {
      ended_[op] = {.status = run::Status::error, .reason = {}, .cause = "WorkerLost", .error = "its run was removed", .content = {}};
    } else if (run::is_terminal(row->status)) {
      ended_[op] = co_await view(op, *row);
    } else if (tend) {
      co_await executor_.tend(*row);
    }
  }
}

// The usual end, an answer, is in memory: with many operations at once the reads would take longer than they do.
std::optional<run::ChildView> FlowExecution::heard_of(const std::string& op, const Child& child) const {
  const auto last = child.reader.completion();
  const auto* completed = last ? std::get_if<run::RunCompleted>(&last->payload) : nullptr;
  if (!completed || completed->content.empty()) return std::nullopt;
  run::ChildView view{.status = run::Status::completed, .reason = std::string(run::kReasonCompleted), .cause = {}, .error = {}, .content = completed->content, .usage = completed->metrics.usage};
  if (const auto* planned = run::planned_op(state_, op)) view.missing_artifacts = missing_of(run::agent_directory(spec_, planned->agent_id), planned->artifacts);
  return view;
}

aio::Task<run::ChildView> FlowExecution::view(const std::string& op, const store::Run& run) {
  run::ChildView view{.status = run.status, .reason = run.reason, .cause = {}, .error = {}, .content = {}};
  const auto last = run::decode(co_await deps_.store.last_event(run.number));
  const auto* completed = last ? std::get_if<run::RunCompleted>(&last->payload) : nullptr;
  if (completed) {
    view.content = completed->content;
    view.usage = completed->metrics.usage;
  } else if (const auto spec = run::decode_spec(run.spec)) {
    const auto state = co_await fold_run(deps_.store, run, *spec, run.event_count);
    view.content = state.content;
    view.usage = state.usage;
    if (const auto* error = last ? std::get_if<run::RunError>(&last->payload) : nullptr) {
      view.cause = run::name(error->cause);
      view.error = error->message;
      if (error->cause == run::Cause::provider_limited) view.limited_until_ms = co_await limited_until(deps_.store, run.number);
    }
  }
  const auto* planned = run::planned_op(state_, op);
  if (planned && run.status == run::Status::completed)
    view.missing_artifacts = missing_of(run::agent_directory(spec_, planned->agent_id), planned->artifacts);
  co_return view;
}

}  // namespace engine
