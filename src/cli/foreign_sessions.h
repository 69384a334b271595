#pragma once
// Sessions of coding agents that were not started here, as the agents' own files show them. They are only read; `task do --session` takes one
// over. Blocks: it looks at directories and at the beginnings of files.
#include <cstdint>
#include <string>
#include <vector>

#include "cli/process.h"

namespace cli {

struct ForeignSession {
  std::string harness;    // "claude", "codex"
  std::string session_id;
  std::string directory;  // that it works in; "" its file does not say
  std::int64_t changed_ms = 0;
};

// Those of this user, the one that was changed last first, at most `limit`. Claude Code: CONFIG/projects/PROJECT/ID.jsonl; Codex:
// CONFIG/sessions/YYYY/MM/DD/rollout-TIME-ID.jsonl.
std::vector<ForeignSession> foreign_sessions(const Settings& settings, std::size_t limit);

}  // namespace cli
