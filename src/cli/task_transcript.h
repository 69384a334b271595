#pragma once
// `outlast task transcript`: what was said in a task's session, from the harness's own file.
#include <optional>
#include <string>

namespace cli {

struct TaskTranscriptOptions {
  std::optional<std::string> task;  // none: the one of the session around us
  bool compact = false, json = false;
};

int run_task_transcript(const TaskTranscriptOptions& options);

}  // namespace cli
