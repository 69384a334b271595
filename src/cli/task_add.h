#pragma once
// `outlast task add`: a new task, with its directories and its brief. It starts nothing.
#include <string>
#include <vector>

namespace cli {

struct TaskAddOptions {
  std::string name, slug, alias, project, work_dir, priority = "medium", due, assignee, harness, check, notify;
  std::vector<std::string> tags;
  bool make_work_dir = false, worktree = false, json = false;
};

int run_task_add(const TaskAddOptions& options);

}  // namespace cli
