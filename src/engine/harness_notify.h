#pragma once
// Tells whoever wants to know that a coding agent waits for somebody or something, or has ended, by the command that they gave.
#include <optional>
#include <string>

#include "engine/executor.h"
#include "run/harness.h"

namespace engine {

struct Occasion {
  std::string status;         // "waiting", "completed", "failed", "cancelled"
  std::string why;            // of a wait: "approval" or "limit: ..."; of an end: what went wrong
  std::int64_t until_ms = 0;  // of a wait, where that is known
  std::string key;            // the same for whoever tells of the same occasion again
};

// What these events, which are in the log and in `state`, are to those who want to be told.
std::optional<Occasion> occasion_of(const run::AppendEvents& events, const run::HarnessState& state);

aio::Task<> notify_of(Executor& executor, const store::Run& run, const run::Spec& spec, const Occasion& occasion);

}  // namespace engine
