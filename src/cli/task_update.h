#pragma once
// `outlast task update` and `reopen`: they change what is written down of a task and start nothing.
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct TaskUpdateOptions {
  std::string task;
  std::optional<std::string> name, alias, project, priority, due, assignee, waiting_on, check, notify;  // "": none any more
  std::vector<std::string> tags, untags;
  bool archive = false, unarchive = false, json = false;
};
struct TaskReopenOptions {
  std::string task;
  bool json = false;
};

int run_task_update(const TaskUpdateOptions& options);
int run_task_reopen(const TaskReopenOptions& options);

}  // namespace cli
