#pragma once
// Who a process is, and whether another one still lives: pid + start time + boot id, so that a reused pid is never mistaken.
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "store/types.h"

namespace store {

// This process, as an owner without number and expiry.
Owner this_process();

// When a process of this machine started, in clock ticks since boot (proc(5), field 22); nothing for one that is gone or a
// zombie.
std::optional<std::int64_t> process_start_time(std::int64_t pid);

// The other processes as this one sees them.
class Peers {
 public:
  using StartTime = std::function<std::optional<std::int64_t>(std::int64_t pid)>;
  Peers(Owner self, StartTime start_time) : self_(std::move(self)), start_time_(std::move(start_time)) {}

  const Owner& self() const { return self_; }
  // Whether the owner may still execute. On its own host a dead process is known at once; elsewhere its lease must expire.
  bool lives(const Owner& owner, std::int64_t now_ms) const;

 private:
  Owner self_;
  StartTime start_time_;
};

}  // namespace store
