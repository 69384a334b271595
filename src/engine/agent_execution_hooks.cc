// What an execution tells its hooks, besides its tool calls (tool_step.cc).
#include "base/json.h"
#include "engine/agent_execution.h"
#include "engine/history.h"
#include "engine/hook_facts.h"
#include "engine/tasks.h"
#include "engine/waker.h"

namespace engine {

namespace json = boost::json;
using run::HookEvent;

namespace {

constexpr std::int64_t kKeepRecent = 10;  // messages, where the definition says nothing else
constexpr std::size_t kBytesPerToken = 4;

// A background task of its own, not a call that somebody waits for.
bool is_background(const store::Run& run, const run::Spec& spec) {
  return spec.call && !run.parent_run_id.empty() && !run.awaited;
}

const run::ToolCall* call_of(const run::AgentState& state, const std::string& id) {
  for (const auto& message : state.messages)
    for (const auto& call : message.tool_calls)
      if (call.id == id) return &call;
  return nullptr;
}

json::array calls_of(const run::AppendEvents& events) {
  json::array calls;
  for (const auto& payload : events.events)
    if (const auto* paused = std::get_if<run::RunPaused>(&payload))
      for (const auto& call : paused->calls)
        calls.push_back(json::object{{"call_id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
  return calls;
}

}  // namespace

aio::Task<> AgentExecution::begin_hooks() {
  co_await hooks_->load();
  if (taken_over_) co_await fire_for_finished_calls();
  if (spec_.call) {
    if (!is_background(lease_.run, spec_)) co_return;
    const auto task = co_await view_task(deps_, lease_.run, false);
    co_await hooks_->fire({.on = HookEvent::background_start, .facts = {{"task", task_facts(task, deps_.time.wall_ms())}}},
                          tools_);
    hooks_->watch_progress(tools_);
    co_return;
  }
  if (hooks_->turns() == 1) co_await hooks_->fire({.on = HookEvent::session_start}, tools_);
  if (is_wake(spec_)) co_await hooks_->fire({.on = HookEvent::activation}, tools_);
  co_await hooks_->fire({.on = HookEvent::turn_start}, tools_);
}

// A hook of a call's end may have been cut by the crash, though the call itself was finished.
aio::Task<> AgentExecution::fire_for_finished_calls() {
  if (!hooks_->any(HookEvent::tool_end)) co_return;
  const auto messages = state_.messages;
  for (const auto& message : messages) {
    const auto* call = message.role == run::Role::tool ? call_of(state_, message.tool_call_id) : nullptr;
    if (!call) continue;
    auto facts = call_facts(tools_->find(call->name), *call);
    add_result(facts, message.text, message.is_error);
    co_await hooks_->fire({.on = HookEvent::tool_end, .key = call->id, .facts = {{"tool", std::move(facts)}}, .recovered = true},
                          tools_);
  }
}

// Before an event that ends or pauses the run. False: it goes on after all.
aio::Task<bool> AgentExecution::fire_before(const run::AppendEvents& events) {
  const auto status = *events.status;
  if (status == run::Status::cancelled) {
    co_await hooks_->stop(false);
    co_return true;
  }
  if (status == run::Status::paused) {
    const auto number = std::to_string(state_.next_index);
    co_await hooks_->fire({.on = HookEvent::approval_request, .key = number, .facts = {{"approvals", calls_of(events)}}}, tools_);
    co_await hooks_->settle();
    co_return true;
  }
  if (spec_.call) {
    co_await fire_task_end(status);
  } else if (status == run::Status::completed) {
    const bool has_turns_left = spec_.limits.turns == 0 || state_.model_calls < spec_.limits.turns;
    if (has_turns_left && hooks_->stop_retries() < spec_.limits.stop_retries) {
      const auto verdict = co_await hooks_->fire({.on = HookEvent::stop, .key = std::to_string(state_.model_calls)}, tools_);
      if (!verdict.words.empty()) co_return false;
    }
    co_await hooks_->fire({.on = HookEvent::turn_end}, tools_);
  }
  if (const auto* error = std::get_if<run::RunError>(&events.events.back())) {
    json::object facts{{"type", run::name(error->cause)}, {"message", error->message}};
    co_await hooks_->fire({.on = HookEvent::error, .facts = {{"error", std::move(facts)}}}, tools_);
  }
  co_await hooks_->settle();
  co_return true;
}

// Before a model call: a conversation that has become too long, or that a hook finds too long, is given in part from here on.
aio::Task<> AgentExecution::make_room() {
  const auto limit = spec_.limits.compact_tokens;
  const bool wanted = hooks_->take_compaction();
  if (!wanted && (limit == 0 || tokens_now() < limit)) co_return;
  const auto kept = spec_.limits.keep_recent > 0 ? spec_.limits.keep_recent : kKeepRecent;
  const auto all = static_cast<std::int64_t>(past_.size() + state_.messages.size());
  if (all <= kept) co_return;
  co_await hooks_->fire({.on = HookEvent::pre_compact, .key = std::to_string(state_.next_index)}, tools_);
  log_->add(run::ContextCompacted{.kept = kept, .dropped = all - kept});
  keep_last(past_, state_.past_kept.value_or(past_.size()));
  hooks_->note_past(past_.size());
}

// What the last model call took; before the first one, a guess by the length of what it will be given.
std::int64_t AgentExecution::tokens_now() const {
  if (state_.context_tokens > 0 || state_.model_calls > 0) return state_.context_tokens;
  std::size_t bytes = 0;
  for (const auto& message : past_) bytes += message.text.size();
  for (const auto& message : state_.messages) bytes += message.text.size();
  return static_cast<std::int64_t>(bytes / kBytesPerToken);
}

aio::Task<> AgentExecution::fire_task_end(run::Status status) {
  if (!hooks_->any(HookEvent::background_end) || !is_background(lease_.run, spec_)) co_return;
  auto task = co_await view_task(deps_, lease_.run, false);
  task.state = status == run::Status::completed ? tool::TaskState::completed : tool::TaskState::errored;
  task.ended_ms = deps_.time.wall_ms();
  if (!state_.messages.empty()) task.result = state_.messages.back().text;
  co_await hooks_->fire({.on = HookEvent::background_end, .facts = {{"task", task_facts(task, task.ended_ms)}}}, tools_);
}

}  // namespace engine
