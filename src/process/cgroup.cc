#include "process/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace process {

namespace {

// The first mount of version 2; without escapes, which no sane mount point needs.
std::optional<std::string> mount_point() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, point, type;
    if (words >> device >> point >> type && type == "cgroup2") return point;
  }
  return std::nullopt;
}

// "/user.slice/..." of the line "0::/user.slice/...".
std::optional<std::string> own_path() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);)
    if (line.starts_with("0::/")) return line.substr(3);
  return std::nullopt;
}

}  // namespace

std::optional<Cgroup> Cgroup::below_own(std::string_view name) {
  const auto mount = mount_point(), own = own_path();
  if (!mount || !own) return std::nullopt;
  return Cgroup(*mount + (*own == "/" ? "" : *own) + "/" + std::string(name));
}

bool Cgroup::make() const { return mkdir(path_.c_str(), 0755) == 0 && access(entrance().c_str(), W_OK) == 0; }

void Cgroup::kill() const {
  const int fd = open((path_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const auto written = write(fd, "1", 1);
  close(fd);
}

void Cgroup::remove() const { rmdir(path_.c_str()); }

}  // namespace process
