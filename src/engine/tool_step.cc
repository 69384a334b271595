#include "engine/tool_step.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/hook_facts.h"
#include "engine/tool_traits.h"
#include "engine/watch.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr std::string_view kAgentModule = "agent_spawn";

// Whether the hooks of its end are the caller's matter: it is the caller's call, and the caller still waits.
aio::Task<bool> is_callers(const Step& step) {
  if (!step.spec.foreground) co_return false;
  const auto now = co_await step.deps.store.find_run(step.run.run_id);
  co_return now && now->awaited;
}

// Asks the hooks of a call that begins: they may change its arguments, or refuse it with a reason.
aio::Task<std::optional<std::string>> before_call(Step step, run::ToolCall call, std::string& arguments) {
  if (step.spec.foreground || !step.hooks.any(run::HookEvent::tool_start)) co_return std::nullopt;
  json::object facts{{"tool", call_facts(step.tools->find(call.name), call)}};
  auto verdict =
      co_await step.hooks.fire({.on = run::HookEvent::tool_start, .key = call.id, .facts = std::move(facts)}, step.tools);
  if (verdict.blocked) co_return verdict.blocked;
  if (!verdict.params) co_return std::nullopt;
  auto changed = call;
  changed.arguments = base::to_text(*verdict.params);
  const ToolTraits traits(*step.tools);
  if (run::needs_approval(step.spec, changed, traits) && !run::needs_approval(step.spec, call, traits))
    co_return "A hook changed this call into one that needs approval; it was not made.";
  arguments = std::move(changed.arguments);
  // What is called must be the same after a crash.
  if (const auto durable = co_await step.log.flush(); !durable) co_return durable.error().message;
  co_return std::nullopt;
}

// Work is given to another agent, or comes back from it.
aio::Task<> tell_of_agent(Step step, run::HookEvent on, run::ToolCall call, std::string result) {
  if (!step.hooks.any(on)) co_return;
  auto facts = call_facts(nullptr, call);
  if (!result.empty()) add_result(facts, result, false);
  co_await step.hooks.fire({.on = on, .key = call.id, .facts = {{"work", std::move(facts)}}}, step.tools);
}

aio::Task<> after_call(Step step, run::ToolCall call, tool::Outcome& outcome) {
  if (!step.hooks.any(run::HookEvent::tool_end) || co_await is_callers(step)) co_return;
  auto tool = call_facts(step.tools->find(call.name), call);
  add_result(tool, outcome.text, outcome.is_error);
  tool["text"] = outcome.text;
  auto verdict = co_await step.hooks.fire({.on = run::HookEvent::tool_end, .key = call.id, .facts = {{"tool", std::move(tool)}}},
                                          step.tools);
  if (verdict.result) outcome.text = *std::move(verdict.result);
}

// A task's call was counted when it was launched.
std::optional<std::string> over_a_limit(const Step& step, const tool::Definition& tool) {
  if (step.spec.call) return std::nullopt;
  return step.deps.rates.take(step.run.session_id, tool, step.spec.settings.rate_limits, step.deps.time.steady_ms());
}

aio::Task<> perform_call(Step step, run::ToolCall call, std::function<bool()> goes_on) {
  auto& [deps, run, spec, tools, log, hooks] = step;
  const auto started = deps.time.wall_ms();
  const auto* tool = tools->find(call.name);
  const bool granted = tool && run::find_grant(spec.tools, tool->definition().name);
  tool::Outcome outcome{.text = "Tool '" + call.name + "' not found.", .is_error = true};
  auto arguments = call.arguments;
  auto refused = granted ? over_a_limit(step, tool->definition()) : std::nullopt;
  if (granted && !refused) refused = co_await before_call(step, call, arguments);
  if (refused) {
    outcome = {.text = *std::move(refused), .is_error = true};
  } else if (granted) {
    tool::Context context{.run_id = run.run_id,
                          .call_id = call.id,
                          .work_directory = spec.work_directory,
                          .roots = spec.roots,
                          .epoch = run.epoch,
                          .goes_on = std::move(goes_on),
                          .session_id = run.session_id,
                          .granted = spec.tools,
                          .settings = spec.settings,
                          .is_task = spec.call.has_value(),
                          .foreground_ms = spec.limits.foreground_ms,
                          .deadline_ms = spec.limits.timeout_ms ? run.began_ms + spec.limits.timeout_ms : 0,
                          .tasks = deps.tasks,
                          .memory = deps.memory,
                          .team_mail = deps.team_mail,
                          .toolbox = tools.get(),
                          .spec = &spec};
    const bool delegates = spec.call && tool->definition().module == kAgentModule;
    if (delegates) co_await tell_of_agent(step, run::HookEvent::agent_spawn, call, "");
    base::failpoint("tool.before_call");
    if (spec.watch)
      outcome = co_await perform_watch(step, {call.id, call.name, arguments}, std::move(context));
    else
      outcome = co_await tools->call(call.name, arguments, std::move(context));
    base::failpoint("tool.after_call");
    if (delegates) co_await tell_of_agent(step, run::HookEvent::agent_complete, call, outcome.text);
  }
  co_await after_call(step, call, outcome);
  ++deps.counters.tool_calls;
  if (outcome.is_error) ++deps.counters.tool_errors;
  const auto duration = deps.time.wall_ms() - started;
  log.tells(outcome.told_tasks);
  log.add(run::ToolCompleted{call, outcome.text, outcome.is_error, started, duration});
  if (outcome.is_error) log.add(run::ToolError{call, outcome.text, started, duration});
}

}  // namespace

aio::Task<bool> perform_tool_step(Step step, std::vector<run::ToolCall> calls, std::function<bool()> goes_on) {
  std::optional<std::string> broken;
  aio::TaskGroup group(step.deps.io,
                       [&broken](const std::string& name, const std::string& what) { broken = name + ": " + what; });
  std::optional<std::exception_ptr> cancelled;
  for (std::size_t next = 0; next < calls.size() && !cancelled;) {
    const auto wave = std::min(calls.size(), next + base::limits::kParallelToolsMax);
    for (; next < wave; ++next) group.spawn(calls[next].name, perform_call(step, calls[next], goes_on));
    try {
      co_await group.join();
    } catch (...) {
      cancelled = std::current_exception();
    }
  }
  if (cancelled) {
    // The group must be empty before it goes: calls that cannot be cut are waited for.
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    group.cancel();
    co_await group.join();
    std::rethrow_exception(*cancelled);
  }
  if (broken) throw base::Broken(*broken);
  co_return true;
}

}  // namespace engine
