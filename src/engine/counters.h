#pragma once
// What a process has done, counted on the io thread; /metrics shows them.
#include <cstdint>

namespace engine {

struct Counters {
  std::uint64_t runs_launched = 0, runs_adopted = 0, runs_completed = 0, runs_failed = 0, runs_cancelled = 0, runs_paused = 0;
  std::uint64_t runs_executing = 0;          // now
  std::uint64_t launches_refused = 0;        // for want of room
  std::uint64_t leases_lost = 0;
  std::uint64_t events_appended = 0, appends = 0;
  std::uint64_t model_calls = 0, model_retries = 0, model_failures = 0;
  std::uint64_t input_tokens = 0, output_tokens = 0;
  std::uint64_t tool_calls = 0, tool_errors = 0;
  std::uint64_t readers = 0;                 // now
  std::uint64_t log_reads = 0, cached_reads = 0;
};

}  // namespace engine
