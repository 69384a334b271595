#include "bench/common/proc.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/common/measure.h"

extern char** environ;

namespace bench {

namespace {

// The number behind `key` in a file of "key: number kB" lines.
std::int64_t kilobytes(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return std::stoll(line.substr(key.size()));
  return 0;
}

}  // namespace

std::int64_t resident_bytes(pid_t pid) { return kilobytes("/proc/" + std::to_string(pid) + "/status", "VmRSS:") * 1024; }

std::int64_t slab_bytes() { return kilobytes("/proc/meminfo", "Slab:") * 1024; }

std::int64_t cpu_ns(const std::vector<pid_t>& pids) {
  std::int64_t sum = 0;
  for (const auto pid : pids) {
    std::error_code gone;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
      std::ifstream file(thread.path() / "schedstat");
      std::int64_t ran = 0;
      if (file >> ran) sum += ran;
    }
  }
  return sum;
}

std::vector<pid_t> parse_pids(const std::string& comma_separated) {
  std::vector<pid_t> pids;
  std::stringstream in(comma_separated);
  for (std::string one; std::getline(in, one, ',');) pids.push_back(std::stoi(one));
  return pids;
}

pid_t start(const std::vector<std::string>& argv, const std::vector<std::string>& environment, int out) {
  std::vector<char*> arguments, variables;
  for (const auto& one : argv) arguments.push_back(const_cast<char*>(one.c_str()));  // posix_spawn only reads
  arguments.push_back(nullptr);
  for (char** one = environ; *one; ++one) variables.push_back(*one);
  for (const auto& one : environment) variables.insert(variables.begin(), const_cast<char*>(one.c_str()));
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (out >= 0)
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  else
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  errno = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  check(errno ? -1 : 0, argv[0].c_str());
  return pid;
}

Exit wait_for_exit(pid_t pid) {
  int status = 0;
  rusage used{};
  while (wait4(pid, &status, 0, &used) < 0)
    if (errno != EINTR) check(-1, "wait4");
  const auto ns = [](const timeval& time) { return time.tv_sec * 1'000'000'000 + time.tv_usec * 1'000; };
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .cpu_ns = ns(used.ru_utime) + ns(used.ru_stime)};
}

}  // namespace bench
