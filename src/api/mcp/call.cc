#include "api/mcp/call.h"

namespace api::mcp {

aio::Task<base::Result<tool::TaskView>> CallTasks::launch(const tool::Context& caller, tool::TaskLaunch launch) {
  return inner_.launch(caller, std::move(launch));
}

aio::Task<base::Result<tool::TaskView>> CallTasks::find(const tool::Context& caller, std::string task_id) {
  return inner_.find(caller, std::move(task_id));
}

aio::Task<std::vector<tool::TaskView>> CallTasks::list(const tool::Context& caller) { return inner_.list(caller); }

aio::Task<std::vector<tool::TaskView>> CallTasks::wait(const tool::Context& caller, std::vector<std::string> task_ids, Until until,
                                                       std::int64_t until_ms) {
  auto waiting = inner_.wait(caller, task_ids, until, until_ms);
  auto views = co_await call_.waits.run(std::move(waiting));
  if (views) co_return std::move(*views);
  auto now = inner_.wait(caller, std::move(task_ids), until, 0);
  co_return co_await std::move(now);
}

aio::Task<base::Result<tool::TaskView>> CallTasks::cancel(const tool::Context& caller, std::string task_id) {
  return inner_.cancel(caller, std::move(task_id));
}

aio::Task<base::Result<tool::TaskView>> CallTasks::promote(const tool::Context& caller, std::string task_id) {
  return inner_.promote(caller, std::move(task_id));
}

aio::Task<> CallTasks::end_awaited(std::string session_id, std::string run_id) {
  return inner_.end_awaited(std::move(session_id), std::move(run_id));
}

aio::Task<base::Result<tool::Sighting>> CallTasks::scan(const tool::TaskView& task, std::string pattern, tool::ScanFrom from) {
  return inner_.scan(task, std::move(pattern), from);
}

aio::Task<base::Result<json::object>> CallTasks::output(const tool::TaskView& task, std::size_t tail_lines) {
  return inner_.output(task, tail_lines);
}

aio::Task<base::Result<>> CallTasks::send(const tool::TaskView& task, json::object request) { return inner_.send(task, std::move(request)); }

}  // namespace api::mcp
