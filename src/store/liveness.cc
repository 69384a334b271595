#include "store/liveness.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/text.h"

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
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::stringstream content;
  content << file.rdbuf();
  const auto text = content.str();
  const auto name_end = text.rfind(')');  // the name may hold anything, also spaces and brackets
  if (name_end == std::string::npos) return std::nullopt;
  const auto fields = base::split(base::trim(std::string_view(text).substr(name_end + 1)), ' ');
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  return base::parse_int(fields[19]);
}

Owner this_process() {
  Owner self;
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  // The machine id tells apart hosts of one name (containers with their own pid space among them share neither).
  self.host = std::string(host) + "/" + read_line("/etc/machine-id") + "/" + std::to_string(getuid());
  char space[64] = {};
  if (const auto n = readlink("/proc/self/ns/pid", space, sizeof space - 1); n > 0) self.host += "/" + std::string(space);
  self.boot_id = read_line("/proc/sys/kernel/random/boot_id");
  self.pid = getpid();
  self.pid_start = process_start_time(self.pid).value_or(0);
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
