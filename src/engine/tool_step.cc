#include "engine/tool_step.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/limits.h"
#include "base/log.h"

namespace engine {

namespace {

aio::Task<> perform_call(Deps& deps, const store::Run& run, const run::Spec& spec, run::ToolCall call, RunLog& log,
                         std::function<bool()> goes_on) {
  const auto started = deps.time.wall_ms();
  const auto* tool = deps.tools.find(call.name);
  const bool granted =
      tool && std::ranges::any_of(spec.tools, [tool](const run::GrantedTool& t) { return t.name == tool->definition().name; });
  tool::Outcome outcome{.text = "Tool '" + call.name + "' not found.", .is_error = true};
  if (granted) {
    tool::Context context{.run_id = run.run_id,
                          .call_id = call.id,
                          .work_directory = spec.work_directory,
                          .epoch = run.epoch,
                          .goes_on = std::move(goes_on),
                          .session_id = run.session_id,
                          .granted = spec.tools,
                          .settings = spec.settings,
                          .is_task = spec.call.has_value(),
                          .foreground_ms = spec.limits.foreground_ms,
                          .deadline_ms = spec.limits.timeout_ms ? run.created_ms + spec.limits.timeout_ms : 0,
                          .tasks = deps.tasks};
    base::failpoint("tool.before_call");
    outcome = co_await deps.tools.call(call.name, call.arguments, std::move(context));
    base::failpoint("tool.after_call");
  }
  ++deps.counters.tool_calls;
  if (outcome.is_error) ++deps.counters.tool_errors;
  const auto duration = deps.time.wall_ms() - started;
  log.tells(outcome.told_tasks);
  log.add(run::ToolCompleted{call, outcome.text, outcome.is_error, started, duration});
  if (outcome.is_error) log.add(run::ToolError{call, outcome.text, started, duration});
}

}  // namespace

aio::Task<bool> perform_tool_step(Deps& deps, const store::Run& run, const run::Spec& spec, std::vector<run::ToolCall> calls,
                                  RunLog& log, std::function<bool()> goes_on) {
  std::optional<std::string> broken;
  aio::TaskGroup group(deps.io, [&broken](const std::string& name, const std::string& what) { broken = name + ": " + what; });
  std::optional<std::exception_ptr> cancelled;
  for (std::size_t next = 0; next < calls.size() && !cancelled;) {
    const auto wave = std::min(calls.size(), next + base::limits::kParallelToolsMax);
    for (; next < wave; ++next) group.spawn(calls[next].name, perform_call(deps, run, spec, calls[next], log, goes_on));
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
