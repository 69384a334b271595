#pragma once
// `outlast task do REF`: starts a task's agent, brings it back, or says where it is (docs/tasks.md has the table).
#include <optional>
#include <string>

#include "cli/task_turn.h"

namespace cli {

struct TaskDoOptions {
  std::string ref, harness;
  std::optional<std::string> with, with_file;
  std::optional<std::string> session;  // of an agent that was not started here: it is taken over
  std::optional<double> approval_timeout_s, cost_max;  // cost_max: US dollars
  std::int64_t tokens_max = 0;
  bool fresh = false, force = false, unattended = false, here = false, skip_permissions = false, json = false;
};

int run_task_do(const TaskDoOptions& options);
aio::Task<int> task_do(Process& process, TaskDoOptions options);

// The two ways to do it, with everything checked that is common to them.
aio::Task<int> do_supervised(Process& process, store::Assignment task, Turn turn, bool json);
aio::Task<int> do_in_background(Process& process, store::Assignment task, Turn turn, bool json);

// What came of it: `word` is "started", "resumed", "live", "queued" ...; `text` is what a person reads.
void say_done(const store::Assignment& task, std::string_view word, const std::string& text, const std::string& hint, bool json);

// Whether the session of a task can still be brought back: its transcript is there, as far as the harness keeps one that is known.
bool has_transcript(Process& process, const store::Assignment& task);

}  // namespace cli
