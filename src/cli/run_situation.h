#pragma once
// How it stands with a run: who executes it, and what it waits for.
#include <optional>
#include <string>
#include <vector>

#include "cli/process.h"
#include "run/agent.h"

namespace cli {

struct Situation {
  store::Run run;
  std::optional<run::Spec> spec;
  std::optional<run::AgentState> state;  // of a conversation, where its log is short enough to be read at once
  std::optional<run::Usage> usage;       // likewise, of any run
  std::optional<store::Holder> holder;   // the process that holds it, dead or alive
  bool orphan = false;                   // it is due and nobody alive executes it
  store::ChildCounts children;
  std::vector<store::Run> paused;  // of a flow that is live: operations that wait for a person's decision
  std::string waits_for;
  std::string directory, artifacts;
};

aio::Task<Situation> situation_of(Process& process, store::Run run);

// Those below a run that wait for a person's decision, oldest first.
aio::Task<std::vector<store::Run>> paused_below(Process& process, store::Run root);

// Why a live run does not go on at this moment, as the log and the store tell it; "" where it does.
std::string waits_for(const store::Run& run, const run::AgentState& state, bool orphan, std::int64_t now_ms);

// In words: "process 4711 on host", "nobody: ..."; "" where nobody needs to.
std::string executor_text(const Situation& situation);

// The machine's name, without what makes it unique.
std::string host_name(const store::Owner& owner);

}  // namespace cli
