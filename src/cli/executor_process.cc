#include "cli/executor_process.h"

#include <poll.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 declares it for C alone
}

#include <fstream>
#include <string>
#include <utility>

#include "store/liveness.h"

namespace cli {

namespace {

// The words of a process' command line.
bool executes(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  std::string program, command;
  return std::getline(file, program, '\0') && std::getline(file, command, '\0') && command == "execute";
}

}  // namespace

std::optional<ExecutorProcess> ExecutorProcess::find(const store::Owner& owner) {
  const auto self = store::this_process();
  if (owner.host != self.host || owner.boot_id != self.boot_id || owner.pid <= 1) return std::nullopt;
  const int handle = pidfd_open(static_cast<pid_t>(owner.pid), 0);
  if (handle < 0) return std::nullopt;
  ExecutorProcess found(owner.pid, handle);
  // Looked at after the handle was taken: if it is the right process now, the handle is that process'.
  if (store::process_start_time(owner.pid) != owner.pid_start || !executes(owner.pid)) return std::nullopt;
  return found;
}

ExecutorProcess::ExecutorProcess(ExecutorProcess&& other) noexcept
    : pid_(other.pid_), handle_(std::exchange(other.handle_, -1)) {}

ExecutorProcess& ExecutorProcess::operator=(ExecutorProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(handle_, other.handle_);
  return *this;
}

ExecutorProcess::~ExecutorProcess() {
  if (handle_ >= 0) close(handle_);
}

bool ExecutorProcess::lives() const {
  pollfd ended{.fd = handle_, .events = POLLIN, .revents = 0};
  return poll(&ended, 1, 0) == 0;
}

bool ExecutorProcess::signal(int number) const { return pidfd_send_signal(handle_, number, nullptr, 0) == 0; }

}  // namespace cli
