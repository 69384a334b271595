#include "process/spawn_shim.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <vector>

namespace process {

namespace {

// What a shim may know of its executor's environment: how it is tested, and what its child inherits. The child gets what its spec says.
std::vector<std::string> shim_environment(Spawn which, const std::vector<std::string>& inherits) {
  auto names = inherits;
  names.insert(names.end(), {"ASAN_OPTIONS", "UBSAN_OPTIONS"});
  if (which == Spawn::first) names.emplace_back("OUTLAST_FAILPOINT");
  std::vector<std::string> out;
  for (const auto& name : names)
    if (const char* value = std::getenv(name.c_str())) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::expected<pid_t, int> spawn_shim(const std::string& directory, Spawn which, const std::vector<std::string>& inherits) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const auto log = directory + "/shim.log";
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> argv{"outlast", "shim", directory};
  auto environment = shim_environment(which, inherits);
  const auto argument_pointers = pointers(argv);
  const auto environment_pointers = pointers(environment);
  pid_t pid = 0;
  const int failed =
      posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, argument_pointers.data(), environment_pointers.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed) return std::unexpected(failed);
  return pid;
}

}  // namespace process
