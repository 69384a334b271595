#include "store/liveness.h"

#include <unistd.h>

#include <fstream>

#include "base/process_identity.h"

namespace store {

namespace {

std::string read_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::optional<std::int64_t> process_start_time(std::int64_t pid) {
  const auto found = base::identity_of(pid);
  if (!found) return std::nullopt;
  return found->start;
}

Owner this_process() {
  Owner self;
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  // The machine id tells apart hosts of one name (containers with their own pid space among them share neither).
  self.host = std::string(host) + "/" + read_line("/etc/machine-id") + "/" + std::to_string(getuid());
  char space[64] = {};
  if (const auto n = readlink("/proc/self/ns/pid", space, sizeof space - 1); n > 0) self.host += "/" + std::string(space);
  const auto process = base::this_process();
  self.boot_id = process.boot_id;
  self.pid = process.pid;
  self.pid_start = process.start;
  return self;
}

bool Peers::lives(const Owner& owner, std::int64_t now_ms) const {
  if (owner.number == 0) return false;
  if (owner.host == self_.host) {
    if (owner.boot_id != self_.boot_id) return false;
    if (start_time_(owner.pid) != owner.pid_start) return false;
  }
  return owner.expires_ms > now_ms;
}

}  // namespace store
