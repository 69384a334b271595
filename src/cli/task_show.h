#pragma once
// `outlast task show` and `outlast task list`. Neither starts a process outside bg mode (task_live.h).
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct TaskShowOptions {
  std::optional<std::string> task;  // none: the one of the session around us
  bool history = false, json = false;
};
struct TaskListOptions {
  std::string status, project, priority, since;  // "": any
  std::vector<std::string> tags;
  bool include_done = false, include_archived = false;
  std::string format = "table";  // or "json", "tsv"
  bool no_color = false, no_truncate = false;
};

int run_task_show(const TaskShowOptions& options);
int run_task_list(const TaskListOptions& options);

}  // namespace cli
