#pragma once
// The detached process that executes a run, as one that may be signalled: the very process that the store names, by pid, start
// time, boot and host, never one that was given its pid later.
#include <optional>

#include "store/types.h"

namespace cli {

class ExecutorProcess {
 public:
  // Nothing: it is gone, of another machine or boot, or it is no `outlast execute` (a server, a launching command).
  static std::optional<ExecutorProcess> find(const store::Owner& owner);
  ExecutorProcess(ExecutorProcess&& other) noexcept;
  ExecutorProcess& operator=(ExecutorProcess&& other) noexcept;
  ~ExecutorProcess();

  std::int64_t pid() const { return pid_; }
  bool lives() const;
  bool signal(int number) const;  // false: it is gone

 private:
  ExecutorProcess(std::int64_t pid, int handle) : pid_(pid), handle_(handle) {}
  std::int64_t pid_;
  int handle_;  // a pidfd: stays that process' whatever becomes of its pid
};

}  // namespace cli
