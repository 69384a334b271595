#pragma once
// Tasks as runs of kind tool: launched, waited for, cancelled and read as every run is.
#include <map>
#include <string>
#include <vector>

#include "engine/deps.h"
#include "engine/executor.h"
#include "tool/tasks.h"

namespace engine {

// The id of the one call of such a run.
inline constexpr std::string_view kTaskCallId = "call";

// A task as its run tells it. `with_result`: reads the log of one that has ended.
aio::Task<tool::TaskView> view_task(Deps& deps, store::Run run, bool with_result);

// The one call of such a run, under the lease that it has now and with the settings of its tools.
tool::Context call_of(const store::Run& task);

class Tasks final : public tool::Tasks {
 public:
  // Both outlive it.
  Tasks(Deps& deps, Executor& executor) : deps_(deps), executor_(executor) {}

  aio::Task<base::Result<tool::TaskView>> launch(const tool::Context& caller, tool::TaskLaunch launch) override;
  aio::Task<base::Result<tool::TaskView>> find(const tool::Context& caller, std::string task_id) override;
  aio::Task<std::vector<tool::TaskView>> list(const tool::Context& caller) override;
  aio::Task<std::vector<tool::TaskView>> wait(const tool::Context& caller, std::vector<std::string> task_ids, Until until,
                                              std::int64_t until_ms) override;
  aio::Task<base::Result<tool::TaskView>> cancel(const tool::Context& caller, std::string task_id) override;
  aio::Task<base::Result<tool::TaskView>> promote(const tool::Context& caller, std::string task_id) override;
  aio::Task<> end_awaited(std::string session_id, std::string run_id) override;
  aio::Task<base::Result<boost::json::object>> output(const tool::TaskView& task, std::size_t tail_lines) override;
  aio::Task<base::Result<tool::Sighting>> scan(const tool::TaskView& task, std::string pattern, tool::ScanFrom from) override;
  aio::Task<base::Result<>> send(const tool::TaskView& task, boost::json::object request) override;

 private:
  aio::Task<std::vector<store::Run>> live_tasks(const std::string& session_id);
  aio::Task<base::Result<store::Run>> find_run(const tool::Context& caller, const std::string& task_id);
  aio::Task<base::Result<tool::Context>> find_call(const tool::TaskView& task);

  Deps& deps_;
  Executor& executor_;
};

}  // namespace engine
