#pragma once
// The conversation that -r or -c means.
#include <optional>
#include <string>

#include "cli/output.h"
#include "cli/process.h"

namespace cli {

struct SessionOf {
  std::string id;                  // "" a new one
  std::optional<store::Run> last;  // its newest run, or the one it was forked from: what the next leg takes over from
  std::optional<store::Run> live;  // its run that is not over
};

// By id or unique prefix of a session or run, or RUN/AGENT for one agent of a run. Says what a prefix has found.
aio::Task<Checked<SessionOf>> session_by_name(Process& process, std::string name);
// RUN/AGENT: the newest run of that agent among those that share the run's directory.
aio::Task<std::optional<store::Run>> run_of_agent(Process& process, std::string name);
// The session used last in the project of `cwd`, else the one used last at all.
aio::Task<Checked<SessionOf>> session_last_used(Process& process, std::string cwd);

}  // namespace cli
