#include "api/mcp/tools.h"

#include <algorithm>

#include "api/mcp/runs.h"
#include "api/mcp/task_view.h"
#include "api/mcp/tasks.h"
#include "api/mcp/tool_table.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/tasks.h"
#include "run/wrapped_call.h"
#include "tool/background_arguments.h"
#include "tool/schema.h"

namespace api::mcp {

namespace limits = base::limits;

namespace {

constexpr std::int64_t kEventsUsual = 200;
constexpr double kWaitUsual = 60;
constexpr std::int64_t kCancelMs = 15'000;

// One tools/call, taken apart.
struct Request {
  const OfferedTool* tool = nullptr;
  json::object arguments = {};
  std::string key = {};  // the same key is the same call
  Caller caller = {};
};

std::string names_of(const std::vector<std::string>& tools) {
  std::string names;
  for (const auto& name : tools) names += (names.empty() ? "" : ", ") + name;
  return names;
}

std::string schema_of(const Context& context, const OfferedTool& tool) {
  if (!tool.schema.empty()) return std::string(tool.schema);
  const auto* own = context.deps.tools.find(tool.name);
  return own ? own->definition().schema : R"({"type":"object"})";
}

// What makes a repeated call the same one: the client's word, or the id that Claude Code gives each tool use.
std::string key_of(const json::object& params, base::Random& random) {
  if (const auto* meta = base::object_field(params, "_meta"))
    for (const auto* name : {"outlast/idempotency-key", "claudecode/toolUseId"})
      if (const auto key = base::string_field(*meta, name); key && !key->empty() && key->size() <= limits::kLaunchKeyBytesMax / 2)
        return std::string(*key);
  return base::new_uuid(random);
}

tool::Context tool_context(Context& context, const Request& request, tool::Tasks* tasks) {
  tool::Context out{.run_id = {}, .call_id = request.key};
  out.work_directory = context.work_directory;
  out.session_id = request.caller.session_id;
  for (const auto& name : context.options.mcp_tools) out.granted.push_back({.name = name});
  out.granted.push_back({.name = std::string(run::kRunParallel)});
  out.settings = context.app.settings;
  out.tasks = tasks;
  return out;
}

json::object error_result(const base::Error& error) { return text_result(error.message, true); }

aio::Task<json::object> background_run(Context& context, Request request, Call& call) {
  CallTasks tasks(*context.deps.tasks, call);
  auto asked = tool_context(context, request, &tasks);
  auto calling = context.deps.tools.call(std::string(run::kBackgroundRun), base::to_text(request.arguments), std::move(asked));
  const auto outcome = co_await std::move(calling);
  co_return text_result(outcome.text, outcome.is_error);
}

// As a task of its own, so that it survives whoever asked for it.
aio::Task<base::Result<store::Run>> launch_parallel(Context& context, Request request) {
  const auto calls = run::wrapped_list(request.arguments);
  if (!calls) co_return base::fail(base::Errc::invalid_argument, "run_parallel: " + calls.error().message);
  const auto asked = tool_context(context, request, context.deps.tasks);
  tool::TaskLaunch launch{.name = std::string(run::kRunParallel), .arguments = std::move(request.arguments), .key = request.key};
  auto task = co_await context.deps.tasks->launch(asked, std::move(launch));
  if (!task) co_return std::unexpected(task.error());
  co_return co_await context.deps.store.find_run(task->task_id);
}

aio::Task<json::object> run_parallel(Context& context, Request request, Call& call) {
  auto run = co_await launch_parallel(context, std::move(request));
  if (!run) co_return error_result(run.error());
  const auto until = context.deps.time.steady_ms() + limits::kMcpWaitSecondsMax * 1'000;
  auto now = co_await wait_for_run(context, *run, until, call);
  const auto shot = co_await snapshot(context, now ? std::move(*now) : std::move(*run));
  if (!shot.result.empty()) co_return shot.result;
  const json::object pending{{"task_id", shot.task_id},
                             {"status", "running"},
                             {"hint", "Use background_run(task_id='" + shot.task_id + "', wait=true) to wait longer."}};
  co_return text_result(base::to_text(pending), false);
}

aio::Task<json::object> run_start(Context& context, Request request) {
  auto run = co_await start_run(context, std::move(request.arguments), std::move(request.caller), std::move(request.key));
  if (!run) co_return error_result(run.error());
  const json::object out{{"run_id", run->run_id},
                         {"session_id", run->session_id},
                         {"agent", run->component_id},
                         {"status", run::name(run->status)}};
  co_return text_result(base::to_text(out), false);
}

aio::Task<json::object> shown(Context& context, store::Run run) {
  const bool failed = run.status == run::Status::error;
  const auto described = co_await describe_run(context, std::move(run));
  co_return text_result(base::to_text(described), failed);
}

aio::Task<json::object> run_wait(Context& context, store::Run run, json::object arguments, Call& call) {
  const auto seconds = std::clamp(base::number_field(arguments, "timeout").value_or(kWaitUsual), 0.0, static_cast<double>(limits::kMcpWaitSecondsMax));
  const auto until = context.deps.time.steady_ms() + static_cast<std::int64_t>(seconds * 1'000);
  auto now = co_await wait_for_run(context, std::move(run), until, call);
  if (!now) co_return error_result(now.error());
  co_return co_await shown(context, std::move(*now));
}

aio::Task<json::object> run_cancel(Context& context, store::Run run, Call& call) {
  if (!run::is_terminal(run.status)) {
    co_await context.executor.cancel(run.run_id);
    auto now = co_await wait_for_run(context, run, context.deps.time.steady_ms() + kCancelMs, call);
    if (now) run = std::move(*now);
  }
  const json::object out{{"run_id", run.run_id}, {"cancelled", run.status == run::Status::cancelled}, {"status", run::name(run.status)}, {"reason", run.reason}};
  co_return text_result(base::to_text(out), false);
}

aio::Task<json::object> run_continue(Context& context, store::Run run, json::object arguments) {
  const auto decided = co_await continue_run(context, std::move(run), std::move(arguments));
  if (!decided) co_return error_result(decided.error());
  co_return text_result(base::to_text(*decided), false);
}

// The tools that look at one run.
aio::Task<json::object> run_tool(Context& context, Request request, Call& call) {
  auto run = co_await find_agent_run(context, base::text_or_empty(request.arguments, "run_id"));
  if (!run) co_return error_result(run.error());
  switch (request.tool->kind) {
    case ToolKind::run_wait: co_return co_await run_wait(context, std::move(*run), std::move(request.arguments), call);
    case ToolKind::run_cancel: co_return co_await run_cancel(context, std::move(*run), call);
    case ToolKind::run_continue: co_return co_await run_continue(context, std::move(*run), std::move(request.arguments));
    case ToolKind::run_events: {
      const auto from = std::max<std::int64_t>(0, base::int_or_zero(request.arguments, "from"));
      const auto limit = std::clamp<std::int64_t>(base::int_field(request.arguments, "limit").value_or(kEventsUsual), 1, limits::kMcpEventsMax);
      const auto text = co_await events_of(context, std::move(*run), static_cast<std::uint64_t>(from), limit);
      co_return text_result(text, false);
    }
    case ToolKind::run_status:
    case ToolKind::run_start:
    case ToolKind::background_run:
    case ToolKind::run_parallel: break;
  }
  co_return co_await shown(context, std::move(*run));
}

aio::Task<json::object> perform(Context& context, Request request, Call& call) {
  switch (request.tool->kind) {
    case ToolKind::background_run: co_return co_await background_run(context, std::move(request), call);
    case ToolKind::run_parallel: co_return co_await run_parallel(context, std::move(request), call);
    case ToolKind::run_start: co_return co_await run_start(context, std::move(request));
    case ToolKind::run_status:
    case ToolKind::run_wait:
    case ToolKind::run_events:
    case ToolKind::run_cancel:
    case ToolKind::run_continue: break;
  }
  co_return co_await run_tool(context, std::move(request), call);
}

// background_run as a task is the task that it launches, or the one that it would wait for.
aio::Task<base::Result<store::Run>> background_task(Context& context, Request request) {
  auto read = tool::read_background_arguments(request.arguments);
  if (!read) co_return std::unexpected(read.error());
  if (auto* launch = std::get_if<tool::LaunchRequest>(&read->request)) {
    const auto asked = tool_context(context, request, context.deps.tasks);
    tool::TaskLaunch wanted{.name = launch->call.name, .arguments = std::move(launch->call.arguments), .key = request.key};
    auto task = co_await context.deps.tasks->launch(asked, std::move(wanted));
    if (!task) co_return std::unexpected(task.error());
    co_return co_await context.deps.store.find_run(task->task_id);
  }
  if (const auto* wait = std::get_if<tool::WaitRequest>(&read->request); wait && wait->task_ids.size() == 1)
    co_return co_await find_task(context, request.caller, wait->task_ids.front());
  // Anything else is over at once, but its client wants a task all the same: one that makes the call.
  auto asked = tool_context(context, request, context.deps.tasks);
  asked.granted.push_back({.name = std::string(run::kBackgroundRun)});
  tool::TaskLaunch wanted{.name = std::string(run::kBackgroundRun), .arguments = std::move(request.arguments), .key = request.key, .awaited = true};
  auto task = co_await context.deps.tasks->launch(asked, std::move(wanted));
  if (!task) co_return std::unexpected(task.error());
  co_return co_await context.deps.store.find_run(task->task_id);
}

aio::Task<base::Result<store::Run>> start_task(Context& context, Request request) {
  switch (request.tool->kind) {
    case ToolKind::background_run: co_return co_await background_task(context, std::move(request));
    case ToolKind::run_parallel: co_return co_await launch_parallel(context, std::move(request));
    case ToolKind::run_start: co_return co_await start_run(context, std::move(request.arguments), std::move(request.caller), std::move(request.key));
    case ToolKind::run_wait: co_return co_await find_task(context, std::move(request.caller), base::text_or_empty(request.arguments, "run_id"));
    case ToolKind::run_status:
    case ToolKind::run_events:
    case ToolKind::run_cancel:
    case ToolKind::run_continue: break;
  }
  co_return base::fail(base::Errc::unsupported, "it cannot be a task");
}

// Whether a call would hold its client up: then one that takes tasks is given one.
bool would_wait(const Request& request) {
  if (request.tool->kind == ToolKind::run_parallel || request.tool->kind == ToolKind::run_wait) return true;
  if (request.tool->kind != ToolKind::background_run) return false;
  const auto read = tool::read_background_arguments(request.arguments);
  if (!read) return false;
  if (const auto* launch = std::get_if<tool::LaunchRequest>(&read->request)) return launch->wait;
  const auto* wait = std::get_if<tool::WaitRequest>(&read->request);
  return wait && wait->task_ids.size() == 1;
}

aio::Task<Answer> as_task(Context& context, Request request) {
  const auto caller = request.caller;
  auto run = co_await start_task(context, std::move(request));
  if (!run && caller.is_stateless()) co_return error_result(run.error());
  if (!run) co_return refuse(run.error().code == base::Errc::busy ? Code::internal_error : Code::invalid_params, run.error().message);
  TaskSnapshot shot{.task_id = run->run_id, .status = run->status, .created_ms = run->created_ms, .updated_ms = run->updated_ms};
  co_return create_task_result(context, shot, caller);
}

}  // namespace

json::array offered_tools(const Context& context, const Caller& caller) {
  json::array all;
  for (const auto& tool : tool_table()) {
    std::string description(tool.description);
    const bool makes_tasks = tool.kind == ToolKind::background_run || tool.kind == ToolKind::run_parallel;
    if (makes_tasks && context.options.mcp_tools.empty()) continue;
    if (makes_tasks)
      description += " Tools that can run: " + names_of(context.options.mcp_tools) + "; in " + context.work_directory + ".";
    json::object entry{{"name", tool.name},
                       {"title", tool.title},
                       {"description", description},
                       {"inputSchema", base::parse_json(schema_of(context, tool)).value_or(json::object())},
                       {"annotations", {{"readOnlyHint", tool.reads_only}, {"openWorldHint", !tool.reads_only}}}};
    if (caller.version == kWithTasks) entry["execution"] = json::object{{"taskSupport", tool.can_be_task ? "optional" : "forbidden"}};
    all.push_back(std::move(entry));
  }
  return all;
}

aio::Task<Answer> call_tool(Context& context, json::object params, Caller caller, Call& call) {
  const auto name = base::string_field(params, "name");
  if (!name) co_return refuse(Code::invalid_params, "params.name is required");
  Request request{.tool = find_tool(*name), .arguments = {}, .key = key_of(params, context.deps.random), .caller = std::move(caller)};
  if (!request.tool) co_return refuse(Code::invalid_params, "Unknown tool: " + std::string(*name));
  if (const auto* arguments = params.if_contains("arguments")) {
    if (!arguments->is_object()) co_return refuse(Code::invalid_params, "params.arguments must be an object");
    request.arguments = arguments->get_object();
  }
  const auto* task = request.caller.version == kWithTasks ? params.if_contains("task") : nullptr;
  if (task && !task->is_object()) co_return refuse(Code::invalid_params, "params.task must be an object");
  if (task && !request.tool->can_be_task) co_return refuse(Code::method_not_found, std::string(*name) + " cannot be a task");
  // The arguments of background_run and run_parallel are read with all their synonyms by the tools themselves.
  if (!request.tool->schema.empty()) {
    const auto schema = tool::Schema::compile(request.tool->schema);
    const auto problems = schema ? schema->problems(request.arguments) : schema.error().message;
    if (!problems.empty()) co_return text_result(std::string(*name) + ": " + problems, true);
  }
  if (task || (request.caller.is_stateless() && request.caller.takes_tasks && would_wait(request)))
    co_return co_await as_task(context, std::move(request));
  co_return co_await perform(context, std::move(request), call);
}

}  // namespace api::mcp
