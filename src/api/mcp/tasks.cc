#include "api/mcp/tasks.h"

#include <algorithm>

#include "api/mcp/runs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/tasks.h"
#include "run/wrapped_call.h"
#include "tool/task_result.h"

namespace api::mcp {

namespace limits = base::limits;

namespace {

constexpr std::int64_t kCancelMs = 15'000;  // what a tree that dies hard may take; the cancel itself holds at once

Revision revision_of(const Caller& caller) { return caller.is_stateless() ? Revision::stateless : Revision::handshake; }

std::string unknown(const std::string& id) { return "Task '" + id + "' not found."; }

aio::Task<TaskSnapshot> task_snapshot(Context& context, store::Run run, TaskSnapshot shot) {
  const auto view = co_await engine::view_task(context.deps, run, true);
  shot.message = view.is_live() ? view.name + (view.waits_for.empty() ? " is running" : " waits for " + view.waits_for)
                 : view.cause.empty() ? view.name + " " + std::string(tool::status_word(view.state))
                                      : view.cause;
  shot.lost = view.state == tool::TaskState::interrupted;
  if (view.is_live()) co_return shot;
  // A call of these tools answers for itself.
  const bool plain = (view.name == run::kRunParallel || view.name == run::kBackgroundRun) && !view.result.empty();
  const auto text = plain ? view.result : base::to_text(tool::describe(view, context.deps.time.wall_ms()));
  shot.result = text_result(text, view.state != tool::TaskState::completed);
  co_return shot;
}

aio::Task<Answer> get(Context& context, store::Run run, Caller caller) {
  const auto shot = co_await snapshot(context, std::move(run));
  co_return caller.is_stateless() ? detailed_task(shot, ttl_of(context)) : task_fields(shot, Revision::handshake, ttl_of(context));
}

aio::Task<Answer> result(Context& context, store::Run run, Call& call) {
  while (!run::is_terminal(run.status) && !call.waits.cancelled()) {
    const auto until = context.deps.time.steady_ms() + limits::kMcpWaitSecondsMax * 1'000;
    auto now = co_await wait_for_run(context, run, until, call);
    if (!now) co_return refuse(Code::invalid_params, unknown(run.run_id));
    run = std::move(*now);
    // Until a person has decided: that it waits is no end of the task.
    if (run.status == run::Status::paused) co_await context.deps.time.sleep(std::chrono::milliseconds(limits::kTailPollMs));
  }
  const auto shot = co_await snapshot(context, std::move(run));
  if (shot.result.empty()) co_return refuse(Code::internal_error, "the task has not ended");
  co_return task_result(shot);
}

aio::Task<Answer> cancel(Context& context, store::Run run, Caller caller, Call& call) {
  const bool over = run::is_terminal(run.status);
  if (over && !caller.is_stateless())
    co_return refuse(Code::invalid_params, "Task '" + run.run_id + "' is over: " + std::string(run::name(run.status)));
  if (!over) co_await context.executor.cancel(run.run_id);
  if (caller.is_stateless()) co_return json::object();
  auto now = co_await wait_for_run(context, run, context.deps.time.steady_ms() + kCancelMs, call);
  auto shot = co_await snapshot(context, now ? std::move(*now) : std::move(run));
  co_return task_fields(shot, Revision::handshake, ttl_of(context));
}

// First the session's tasks, then the agents' runs that the caller started; a cursor is where the next page begins.
aio::Task<Answer> list(Context& context, json::object params, Caller caller) {
  store::RunFilter filter;
  filter.limit = limits::kMcpPageMax;
  bool agents = false;
  if (const auto cursor = base::string_field(params, "cursor")) {
    const auto offset = cursor->size() > 1 ? base::parse_int(cursor->substr(1)) : std::nullopt;
    agents = cursor->starts_with('r');
    if (!offset || *offset < 0 || (!agents && !cursor->starts_with('t'))) co_return refuse(Code::invalid_params, "unknown cursor");
    filter.offset = *offset;
  }
  if (agents) {
    filter.except_type = store::kKindTool;
    filter.user_id = user_of(caller);
  } else {
    filter.component_type = store::kKindTool;
    filter.session_id = caller.session_id;
  }
  const auto page = co_await context.deps.store.list_runs(filter);
  json::array tasks;
  for (const auto& run : page.items) {
    if (run.awaited) continue;
    TaskSnapshot shot{.task_id = run.run_id, .status = run.status, .created_ms = run.created_ms, .updated_ms = run.updated_ms};
    tasks.push_back(task_fields(shot, revision_of(caller), ttl_of(context)));
  }
  json::object out{{"tasks", std::move(tasks)}};
  const auto end = filter.offset + static_cast<std::int64_t>(page.items.size());
  if (end < page.total)
    out["nextCursor"] = (agents ? "r" : "t") + std::to_string(end);
  else if (!agents)
    out["nextCursor"] = "r0";
  co_return out;
}

}  // namespace

aio::Task<base::Result<store::Run>> find_task(Context& context, Caller caller, std::string task_id) {
  auto run = co_await context.deps.store.find_run(task_id);
  const bool own = run && (run->kind == store::kKindTool ? run->session_id == caller.session_id : run->user_id == user_of(caller));
  if (!own) co_return base::fail(base::Errc::not_found, unknown(task_id));
  co_return run;
}

aio::Task<TaskSnapshot> snapshot(Context& context, store::Run run) {
  TaskSnapshot shot{.task_id = run.run_id, .status = run.status, .created_ms = run.created_ms, .updated_ms = run.updated_ms};
  if (run.kind == store::kKindTool) co_return co_await task_snapshot(context, std::move(run), std::move(shot));
  if (run.status == run::Status::paused)
    shot.message = "waits for a person's decision: run_continue, or outlast approve " + run.run_id;
  if (!run::is_terminal(run.status)) co_return shot;
  const bool failed = run.status != run::Status::completed;
  const auto described = co_await describe_run(context, std::move(run));
  shot.message = base::text_or_empty(described, "error");
  shot.result = text_result(base::to_text(described), failed);
  co_return shot;
}

std::optional<std::int64_t> ttl_of(const Context& context) {
  if (context.options.keep_ms <= 0) return std::nullopt;
  return context.options.keep_ms;
}

json::object create_task_result(const Context& context, const TaskSnapshot& task, const Caller& caller) {
  auto fields = task_fields(task, revision_of(caller), ttl_of(context));
  if (!caller.is_stateless()) return {{"task", std::move(fields)}};
  fields["resultType"] = "task";
  return fields;
}

aio::Task<std::optional<Answer>> answer_task_method(Context& context, Message message, Caller caller, Call& call) {
  const auto is = [&message](std::string_view name) { return message.method == name; };
  const bool stateless = caller.is_stateless();
  const bool common = is("tasks/get") || is("tasks/cancel");
  if (!common && !is(stateless ? "tasks/update" : "tasks/result") && (stateless || !is("tasks/list"))) co_return std::nullopt;
  if (!caller.knows_tasks()) {
    if (!stateless) co_return std::nullopt;
    RpcError error{.code = Code::missing_capability, .message = "this method needs the tasks extension", .data = {}, .http_status = 400};
    error.data = json::object{{"requiredCapabilities", {{"extensions", {{kTasksExtension, json::object()}}}}}};
    co_return std::unexpected(std::move(error));
  }
  if (is("tasks/list")) co_return co_await list(context, std::move(message.params), std::move(caller));
  const auto id = base::string_field(message.params, "taskId");
  if (!id) co_return refuse(Code::invalid_params, "taskId is required");
  auto run = co_await find_task(context, caller, std::string(*id));
  if (!run) co_return refuse(Code::invalid_params, run.error().message);
  if (is("tasks/get")) co_return co_await get(context, std::move(*run), std::move(caller));
  if (is("tasks/result")) co_return co_await result(context, std::move(*run), call);
  if (is("tasks/cancel")) co_return co_await cancel(context, std::move(*run), std::move(caller), call);
  // Nothing of ours asks a client: whatever it answers is for no open request, and is acknowledged.
  if (!base::object_field(message.params, "inputResponses")) co_return refuse(Code::invalid_params, "inputResponses is required");
  co_return json::object();
}

}  // namespace api::mcp
