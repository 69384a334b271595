#pragma once
// Which process is meant: pid + start time + boot id, so that a pid that was given out again is never mistaken (proc(5)).
#include <cstdint>
#include <optional>
#include <string>

namespace base {

struct ProcessIdentity {
  std::int64_t pid = 0;
  std::int64_t start = 0;  // clock ticks since boot
  std::string boot_id;
};

ProcessIdentity this_process();
// Of a process that lives now; nothing for one that is gone or a zombie.
std::optional<ProcessIdentity> identity_of(std::int64_t pid);
bool lives(const ProcessIdentity& process);

std::string boot_id();

}  // namespace base
