#pragma once
// A turn of a named task: the run of kind harness that is launched for it, once, and what it is told.
#include <cstdint>
#include <optional>
#include <string>

#include "cli/output.h"
#include "cli/process.h"
#include "cli/task_desk.h"
#include "harness/harness.h"
#include "store/assignment.h"

namespace cli {

struct Turn {
  const harness::Harness* harness = nullptr;
  std::string text;          // of the caller, trimmed; "": none
  bool fresh = false;        // in a new session
  bool background = false;   // as the harness's own background agent
  bool unattended = false, skip_permissions = false;
  bool closes = false;       // the last one, of a task that is done
  std::int64_t limit_ms = 0; // of the whole turn; 0: none
  std::int64_t tokens_max = 0, cost_micros_max = 0;  // its budgets; 0: none
  std::int64_t approval_ms = 0;  // a question that waits for longer is answered with no; 0: it waits
};

struct LaunchedTurn {
  store::Run run;
  store::Assignment task;  // as it is now
  bool is_ours = false;    // another command launched it, else
};

// The run of the task's next turn, durable and the task's newest; one that another command has launched meanwhile is that one. Nobody
// executes it yet where it is ours: it is held by `owner`, a registration of this process. Failure: the store refused it.
aio::Task<Checked<LaunchedTurn>> launch_turn(Process& process, store::Assignment task, Turn turn, store::OwnerNumber owner);

// What the agent is told at first, and what follows the line that says where a message comes from.
std::string bootstrap_prompt(const store::Assignment& task, bool unattended);
std::string marked(const std::string& text);

// "project/slug", at most 30 code points.
std::string agent_title(const store::Assignment& task);

// A message for the agent of a run that has not ended: durable when this ends. Its id.
aio::Task<std::string> leave_message(Process& process, const store::Run& run, const std::string& text);
// Whether nobody has taken the message: it waits for the next turn.
aio::Task<bool> waits(Process& process, store::SessionNumber session, std::string message_id);

// The task's newest run, if it has one that was not removed.
aio::Task<std::optional<store::Run>> newest_run(Process& process, const store::Assignment& task);

}  // namespace cli
