#pragma once
// Talking to a task's agent, and ending it: `outlast task send | approve | deny | stop | done`.
#include <string>

namespace cli {

struct TaskSendOptions {
  std::string ref, text;
  bool json = false;
};
int run_task_send(const TaskSendOptions& options);

struct TaskDecideOptions {
  std::string ref, note;
  bool deny = false, json = false;
};
int run_task_decide(const TaskDecideOptions& options);

struct TaskStopOptions {
  std::string ref;
  bool json = false;
};
int run_task_stop(const TaskStopOptions& options);

struct TaskDoneOptions {
  std::string ref;
  bool no_close_out = false, json = false;
};
int run_task_done(const TaskDoneOptions& options);

}  // namespace cli
