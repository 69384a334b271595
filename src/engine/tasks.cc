#include "engine/tasks.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/session_now.h"
#include "run/wrapped_call.h"
#include "tool/task_result.h"

namespace engine {

namespace json = boost::json;
namespace limits = base::limits;
using tool::TaskState;
using tool::TaskView;

namespace {

constexpr std::int64_t kCancelMs = 15'000;  // what a tree that dies hard may take; the cancel itself holds at once
constexpr std::size_t kPartialLines = 1'000;
constexpr std::string_view kInterrupted = "Interrupted:";

TaskState state_of(run::Status status) {
  if (!run::is_terminal(status)) return TaskState::running;
  if (status == run::Status::completed) return TaskState::completed;
  return status == run::Status::cancelled ? TaskState::cancelled : TaskState::errored;
}

// What the log of an ended task says: the tool's answer, or why there is none.
void read_end(TaskView& view, std::string_view lines) {
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    const auto event = run::decode(lines.substr(0, end));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (!event) continue;
    if (const auto* completed = std::get_if<run::ToolCompleted>(&event->payload)) view.result = completed->result;
    if (const auto* error = std::get_if<run::RunError>(&event->payload); error && error->cause != run::Cause::tool_failed) {
      view.cause = std::string(run::name(error->cause)) + ": " + error->message;
      if (error->cause == run::Cause::worker_lost || error->cause == run::Cause::internal) view.state = TaskState::interrupted;
    }
  }
  if (view.state == TaskState::cancelled) view.cause = "cancelled";
  const auto value = tool::result_value(view);
  const bool lost = value.is_object() && base::text_or_empty(value.get_object(), "cause") == "lost";
  if (view.state == TaskState::errored && (lost || view.result.starts_with(kInterrupted))) {
    view.state = TaskState::interrupted;
    if (view.cause.empty()) view.cause = "lost: the process that ran it died; its outcome is unknown";
  }
}

// What a call that was cut short had brought.
aio::Task<> add_partial(Deps& deps, TaskView& view, const store::Run& run) {
  auto* tool = deps.tools.find(view.name);
  if (!tool) co_return;
  auto call = call_of(run);
  if (auto output = co_await tool->output(std::move(call), kPartialLines)) view.result = base::to_text(*output);
}

run::Spec spec_of(const tool::Tool& tool, const tool::Context& caller, json::object arguments) {
  run::Spec spec;
  if (caller.spec) {
    spec.limits.tasks = caller.spec->limits.tasks;
    spec.definition = caller.spec->definition;
    spec.mcp_servers = caller.spec->mcp_servers;
    spec.team = caller.spec->team;
    spec.may_ask = caller.spec->may_ask;
    spec.seat = caller.spec->seat;
    spec.depth = caller.spec->depth;
    spec.hooks = caller.spec->hooks;
    spec.hook_tools = caller.spec->hook_tools;
  }
  const auto& definition = tool.definition();
  spec.call = run::ToolCall{std::string(kTaskCallId), definition.name, base::to_text(arguments)};
  // Whatever had to be approved was, with the call that launches this one: it named the tool and its arguments.
  spec.tools = caller.granted;
  for (auto& granted : spec.tools)
    if (granted.gate == run::Gate::approve) granted.gate = run::Gate::allow;
  spec.settings = caller.settings;
  spec.work_directory = caller.work_directory;
  spec.roots = caller.roots;
  return spec;
}

}  // namespace

tool::Context call_of(const store::Run& task) {
  tool::Context call{.run_id = task.run_id, .call_id = std::string(kTaskCallId), .epoch = task.epoch};
  if (auto spec = run::decode_spec(task.spec)) call.settings = std::move(spec->settings);
  return call;
}

aio::Task<TaskView> view_task(Deps& deps, store::Run run, bool with_result) {
  TaskView view{.task_id = run.run_id,
                .name = run.component_name,
                .full_name = run.component_id,
                .state = state_of(run.status),
                .waits_for = run.status == run::Status::pending ? "a place to run" : "",
                .started_ms = run.created_ms,
                .ended_ms = run.ended_ms};
  if (const auto spec = run::decode_spec(run.spec); spec && spec->call) {
    view.arguments = spec->call->arguments;
    // Nothing but its beginning is in the log: its call has not been made.
    if (!spec->after.tasks.empty() && view.is_live() && run.event_count <= 1) view.waits_for = "tasks that come first";
  }
  if (view.is_live() || !with_result) co_return view;
  for (std::uint64_t next = 0;;) {
    const auto slice = co_await deps.store.read(run.number, next);
    if (!slice.count) break;
    read_end(view, *slice.lines);
    next = slice.end();
  }
  if (view.state == TaskState::cancelled && view.result.empty()) co_await add_partial(deps, view, run);
  co_return view;
}

aio::Task<base::Result<TaskView>> Tasks::launch(const tool::Context& caller, tool::TaskLaunch launch) {
  const auto* tool = (caller.toolbox ? *caller.toolbox : deps_.tools).find(launch.name);
  if (!tool || !run::find_grant(caller.granted, tool->definition().name))
    co_return base::fail(base::Errc::denied, "Tool '" + launch.name + "' not found.");
  const auto& definition = tool->definition();
  if (launch.awaited && definition.name == run::kRunParallel)
    co_return base::fail(base::Errc::denied,
                         "run_parallel: nested run_parallel is not allowed; flatten the actions into a single call");
  if (!launch.foreground && !launch.counted)
    if (auto refused = deps_.rates.take(caller.session_id, definition, caller.settings.rate_limits, deps_.time.steady_ms()))
      co_return base::fail(base::Errc::busy, *std::move(refused));
  LaunchRequest request;
  if (!caller.run_id.empty()) {
    const auto parent = co_await deps_.store.find_run(caller.run_id);
    if (!parent) co_return std::unexpected(parent.error());
    request.user_id = parent->user_id;
    request.parent_run_id = parent->run_id;
    request.origin = parent->origin;
  }
  request.spec = spec_of(*tool, caller, std::move(launch.arguments));
  request.spec.notify_when = std::move(launch.notify_when);
  request.spec.foreground = launch.foreground;
  request.spec.after = std::move(launch.after);
  request.spec.watch = std::move(launch.watch);
  for (const auto& earlier : request.spec.after.tasks)
    if (const auto known = co_await find_run(caller, earlier); !known)
      co_return base::fail(base::Errc::not_found, "Task '" + earlier + "' not found. Use BackgroundRun(list_tasks=true) to see all.");
  request.kind = store::kKindTool;
  request.component_id = definition.module + "." + definition.action;
  request.component_name = definition.name;
  request.session_id = caller.session_id;
  request.awaited = launch.awaited;
  // What a task launches is known by the task alone: its session may have been another before a crash.
  request.launch_key = "task\x1f" + (is_task(caller) ? "" : caller.session_id) + "\x1f" + caller.run_id + "\x1f" + launch.key;
  request.request_digest = base::sha256_hex(definition.name + '\0' + request.spec.call->arguments);
  const auto cap = launch.awaited ? limits::kSessionTasksMax : static_cast<std::size_t>(request.spec.limits.tasks.live);
  request.tasks_max = cap;
  auto launched = co_await executor_.launch(std::move(request));
  if (launched.known == store::Known::no_room)
    co_return base::fail(base::Errc::busy, "background: per-session cap reached (" + std::to_string(cap) +
                                               " live tasks); wait for one or cancel it");
  co_return co_await view_task(deps_, std::move(launched.run), true);
}

aio::Task<base::Result<store::Run>> Tasks::find_run(const tool::Context& caller, const std::string& task_id) {
  auto run = co_await deps_.store.find_run(task_id);
  if (!run || run->kind != store::kKindTool || run->session_id != co_await session_now(deps_.store, caller))
    co_return base::fail(base::Errc::not_found, "Task '" + task_id + "' not found.");
  co_return run;
}

aio::Task<base::Result<TaskView>> Tasks::find(const tool::Context& caller, std::string task_id) {
  auto run = co_await find_run(caller, task_id);
  if (!run) co_return std::unexpected(run.error());
  co_return co_await view_task(deps_, std::move(*run), true);
}

aio::Task<std::vector<TaskView>> Tasks::list(const tool::Context& caller) {
  const auto shown = caller.spec ? caller.spec->limits.tasks : run::TaskLimits();
  const store::TaskFilter filter{.session_id = co_await session_now(deps_.store, caller),
                                 .live_max = limits::kSessionTasksCapMax,
                                 .ended_max = shown.listed,
                                 .ended_since_ms = shown.listed_ms ? deps_.time.wall_ms() - shown.listed_ms : 0};
  std::vector<TaskView> views;
  for (auto& run : co_await deps_.store.tasks(filter)) views.push_back(co_await view_task(deps_, std::move(run), false));
  co_return views;
}

aio::Task<std::vector<TaskView>> Tasks::wait(const tool::Context& caller, std::vector<std::string> task_ids, Until until,
                                             std::int64_t until_ms) {
  // Readers make this process hear of what others append; they read nothing themselves.
  std::map<std::string, LiveLogs::Reader> readers;
  for (;;) {
    const auto seen = deps_.logs.ends();
    std::vector<TaskView> views;
    for (const auto& id : task_ids) {
      auto run = co_await find_run(caller, id);
      if (!run) continue;
      if (!run::is_terminal(run->status)) readers.try_emplace(id, deps_.logs, run->number);
      views.push_back(co_await view_task(deps_, std::move(*run), true));
    }
    const auto live = std::ranges::count_if(views, &TaskView::is_live);
    const bool done = until == Until::any ? live < std::ssize(views) : live == 0;
    const auto left = until_ms - deps_.time.steady_ms();
    if (done || left <= 0) co_return views;
    if (deps_.logs.ends() != seen) continue;  // one has ended while this looked
    co_await aio::wait_for(deps_.time, deps_.logs.ended(), std::chrono::milliseconds(std::min(left, limits::kTailPollMs)));
  }
}

aio::Task<base::Result<TaskView>> Tasks::cancel(const tool::Context& caller, std::string task_id) {
  auto run = co_await find_run(caller, task_id);
  if (!run) co_return std::unexpected(run.error());
  co_await executor_.cancel(task_id);
  const auto views = co_await wait(caller, {task_id}, Until::all, deps_.time.steady_ms() + kCancelMs);
  if (views.empty()) co_return base::fail(base::Errc::not_found, "Task '" + task_id + "' not found.");
  co_return views.front();
}

aio::Task<base::Result<TaskView>> Tasks::promote(const tool::Context& caller, std::string task_id) {
  const auto run = co_await find_run(caller, task_id);
  if (!run) co_return std::unexpected(run.error());
  co_await deps_.store.stop_awaiting(run->number);
  co_return co_await find(caller, std::move(task_id));
}

aio::Task<std::vector<store::Run>> Tasks::live_tasks(const std::string& session_id) {
  store::RunFilter filter;
  filter.component_type = store::kKindTool;
  filter.session_id = session_id;
  filter.live_only = true;
  filter.limit = static_cast<std::int64_t>(limits::kSessionTasksCapMax);
  co_return (co_await deps_.store.list_runs(filter)).items;
}

aio::Task<> Tasks::end_awaited(std::string session_id, std::string run_id) {
  if (const auto run = co_await deps_.store.find_run(run_id)) session_id = run->session_id;  // it may have been moved
  std::vector<std::string> ending;
  for (const auto& task : co_await live_tasks(session_id))
    if (task.awaited && task.parent_run_id == run_id) {
      co_await executor_.cancel(task.run_id);
      ending.push_back(task.run_id);
    }
  tool::Context session{.run_id = run_id, .call_id = ""};
  session.session_id = session_id;
  if (!ending.empty()) co_await wait(session, std::move(ending), Until::all, deps_.time.steady_ms() + kCancelMs);
}

aio::Task<base::Result<tool::Context>> Tasks::find_call(const TaskView& task) {
  const auto run = co_await deps_.store.find_run(task.task_id);
  if (!run) co_return std::unexpected(run.error());
  co_return call_of(*run);
}

aio::Task<base::Result<json::object>> Tasks::output(const TaskView& task, std::size_t tail_lines) {
  auto* tool = deps_.tools.find(task.name);
  if (!tool) co_return base::fail(base::Errc::unsupported, "its tool is not here");
  auto call = co_await find_call(task);
  if (!call) co_return std::unexpected(call.error());
  co_return co_await tool->output(std::move(*call), tail_lines);
}

aio::Task<base::Result<tool::Sighting>> Tasks::scan(const TaskView& task, std::string pattern, tool::ScanFrom from) {
  auto* tool = deps_.tools.find(task.name);
  if (!tool) co_return base::fail(base::Errc::unsupported, "its tool is not here");
  auto call = co_await find_call(task);
  if (!call) co_return std::unexpected(call.error());
  co_return co_await tool->scan(std::move(*call), std::move(pattern), from);
}

aio::Task<base::Result<>> Tasks::send(const TaskView& task, json::object request) {
  auto* tool = deps_.tools.find(task.name);
  if (!tool) co_return base::fail(base::Errc::unsupported, "its tool is not here");
  if (!task.is_live()) co_return base::fail(base::Errc::already_finished, "the task has ended");
  auto call = co_await find_call(task);
  if (!call) co_return std::unexpected(call.error());
  co_return co_await tool->send(std::move(*call), std::move(request));
}

}  // namespace engine
