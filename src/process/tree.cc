#include "process/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "base/text.h"

namespace process {

namespace {

constexpr std::size_t kEnvironmentBytesMax = 4 << 20;

std::vector<pid_t> all_processes() {
  std::vector<pid_t> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (!proc) return out;
  while (const auto* entry = readdir(proc.get()))
    if (const auto pid = base::parse_int(entry->d_name); pid && *pid > 0) out.push_back(static_cast<pid_t>(*pid));
  return out;
}

struct Parent {
  pid_t pid = 0;
  bool zombie = false;
};

Parent parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 >= text.size()) return {};
  const char state = text[name_end + 2];
  return {static_cast<pid_t>(std::strtol(text.c_str() + name_end + 4, nullptr, 10)), state == 'Z' || state == 'X'};
}

std::string environment_of(pid_t pid) {
  std::string out;
  const int fd = open(("/proc/" + std::to_string(pid) + "/environ").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  std::array<char, 16 << 10> buffer;
  for (ssize_t got; out.size() < kEnvironmentBytesMax && (got = read(fd, buffer.data(), buffer.size())) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(got));
  close(fd);
  return out;
}

}  // namespace

std::vector<pid_t> descendants(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  std::vector<pid_t> zombies;
  for (const auto pid : all_processes()) {
    const auto parent = parent_of(pid);
    if (!parent.pid) continue;
    children.emplace(parent.pid, pid);
    if (parent.zombie) zombies.push_back(pid);
  }
  std::vector<pid_t> found, due{root};
  while (!due.empty()) {
    const auto [first, last] = children.equal_range(due.back());
    due.pop_back();
    for (auto at = first; at != last; ++at) {
      due.push_back(at->second);
      found.push_back(at->second);
    }
  }
  std::erase_if(found, [&zombies](pid_t pid) { return std::find(zombies.begin(), zombies.end(), pid) != zombies.end(); });
  return found;
}

std::vector<pid_t> with_environment(std::string_view variable, pid_t self) {
  std::vector<pid_t> found;
  const auto inner = std::string(1, '\0') + std::string(variable) + std::string(1, '\0');
  for (const auto pid : all_processes())
    if (pid != self)
      if (const auto environment = std::string(1, '\0') + environment_of(pid); environment.find(inner) != std::string::npos)
        found.push_back(pid);
  return found;
}

void signal_all(const std::vector<pid_t>& processes, int signal) {
  for (const auto pid : processes) kill(pid, signal);
}

}  // namespace process
