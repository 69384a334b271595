#include "api/mcp/listen.h"

#include <list>
#include <map>

#include "api/mcp/tasks.h"
#include "base/json.h"
#include "base/limits.h"

namespace api::mcp {

namespace limits = base::limits;

namespace {

constexpr std::string_view kSubscriptionKey = "io.modelcontextprotocol/subscriptionId";

struct Watched {
  std::string task_id;
  std::string told = {};  // the status that was told last
  bool over = false;
};

json::object tagged(json::object params, const json::value& id) {
  params["_meta"] = json::object{{kSubscriptionKey, id.is_string() ? id : json::value(base::to_text(id))}};
  return params;
}

// The tasks that are asked for and are the caller's; of others nothing is said.
aio::Task<std::vector<Watched>> watched_tasks(Context& context, json::array ids, Caller caller) {
  std::vector<Watched> all;
  for (const auto& id : ids) {
    if (!id.is_string()) continue;
    const auto run = co_await find_task(context, caller, std::string(id.get_string()));
    if (run) all.push_back({.task_id = run->run_id});
  }
  co_return all;
}

// One look at all of them. False: the client is gone.
aio::Task<bool> tell_changes(Context& context, std::vector<Watched>& tasks, const json::value& id, Call& call) {
  for (auto& task : tasks) {
    if (task.over) continue;
    auto run = co_await context.deps.store.find_run(task.task_id);
    if (!run) {
      task.over = true;
      continue;
    }
    const auto shot = co_await snapshot(context, std::move(*run));
    const auto status = std::string(task_status(shot, Revision::stateless));
    if (status == task.told) continue;
    task.told = status;
    task.over = run::is_terminal(shot.status);
    auto params = tagged(detailed_task(shot, ttl_of(context)), id);
    if (!co_await call.sink.send(encode_notification("notifications/tasks", std::move(params)))) co_return false;
  }
  co_return true;
}

aio::Task<bool> change(Context& context) {
  co_return co_await aio::wait_for(context.deps.time, context.deps.logs.ended(), std::chrono::milliseconds(limits::kTailPollMs));
}

}  // namespace

aio::Task<Answer> listen(Context& context, Message message, Caller caller, Call& call) {
  const auto* wanted = base::object_field(message.params, "notifications");
  if (!wanted) co_return refuse(Code::invalid_params, "params.notifications is required");
  const auto* ids = base::array_field(*wanted, "taskIds");
  if (ids && !caller.takes_tasks) {
    RpcError error{.code = Code::missing_capability, .message = "taskIds need the tasks extension", .data = {}, .http_status = 400};
    error.data = json::object{{"requiredCapabilities", {{"extensions", {{kTasksExtension, json::object()}}}}}};
    co_return std::unexpected(std::move(error));
  }
  if (ids && ids->size() > limits::kMcpWatchedTasksMax)
    co_return refuse(Code::invalid_params, "at most " + std::to_string(limits::kMcpWatchedTasksMax) + " taskIds");
  auto tasks = co_await watched_tasks(context, ids ? *ids : json::array(), std::move(caller));
  // What will be told: changes of these tasks, and nothing else that could be asked for.
  json::object honoured;
  if (ids) {
    json::array known;
    for (const auto& task : tasks) known.emplace_back(task.task_id);
    honoured["taskIds"] = std::move(known);
  }
  auto params = tagged({{"notifications", std::move(honoured)}}, message.id);
  if (!co_await call.sink.send(encode_notification("notifications/subscriptions/acknowledged", std::move(params)))) co_return json::object();
  // Readers make this process hear of what others append.
  std::list<engine::LiveLogs::Reader> readers;
  for (const auto& task : tasks)
    if (const auto run = co_await context.deps.store.find_run(task.task_id)) readers.emplace_back(context.deps.logs, run->number);
  while (!call.waits.cancelled() && !context.stopping) {
    const auto seen = context.deps.logs.ends();
    if (!co_await tell_changes(context, tasks, message.id, call)) break;
    if (context.deps.logs.ends() != seen) continue;
    auto waiting = change(context);
    co_await call.waits.run(std::move(waiting));
  }
  co_return json::object{{"_meta", {{kSubscriptionKey, message.id.is_string() ? message.id : json::value(base::to_text(message.id))}}}};
}

}  // namespace api::mcp
