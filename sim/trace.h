#pragma once
// What happened in one seed's world: counts, a digest that two runs of the same seed must agree on, and the last steps.
#include <array>
#include <cstdint>
#include <string>
#include <type_traits>

namespace sim {

// Plain numbers, so that a child process can leave them in shared memory.
struct Counts {
  std::int64_t seeds = 0, violations = 0, events = 0, commits = 0, crashes = 0, stalls = 0, restarts = 0, stops = 0;
  std::int64_t take_overs = 0, leases_lost = 0, launches = 0, repeated_launches = 0, cancels = 0, intents = 0, approvals = 0;
  std::int64_t failed_commits = 0, rings = 0, lost_doorbells = 0, clock_jumps = 0, reader_tails = 0, model_calls = 0,
               tool_calls = 0;
  std::int64_t handlers = 0, virtual_ms = 0;

  static constexpr std::size_t kSize = 24;
  Counts& operator+=(const Counts& other);
};
static_assert(sizeof(Counts) == Counts::kSize * sizeof(std::int64_t) && std::is_trivially_copyable_v<Counts>);

// One line of JSON with every count, and the wall time.
std::string to_json(const Counts& counts, double wall_seconds);

class Trace {
 public:
  // `what` must be a literal. -1: the world, not a process.
  void note(std::int64_t at_ms, const char* what, std::int64_t process = -1, std::int64_t a = 0, std::int64_t b = 0);
  std::uint64_t digest() const { return digest_; }
  // The last steps, oldest first, a line each.
  std::string tail() const;

  Counts counts;

 private:
  struct Step {
    std::int64_t at_ms;
    const char* what;
    std::int64_t process, a, b;
  };
  void mix(std::uint64_t value) { digest_ = (digest_ ^ value) * 0x100000001B3 + (digest_ >> 29); }

  static constexpr std::size_t kKept = 400;
  std::array<Step, kKept> steps_{};
  std::uint64_t count_ = 0, digest_ = 0xCBF29CE484222325;
};

}  // namespace sim
