#pragma once
// What the kernel says about a process, and starting one.
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

std::int64_t resident_bytes(pid_t pid);
std::int64_t slab_bytes();                            // of the whole machine
std::int64_t cpu_ns(const std::vector<pid_t>& pids);  // run time of all their threads
std::vector<pid_t> parse_pids(const std::string& comma_separated);

// Starts a program with its output and complaints to /dev/null, or only its output to the file descriptor `out`.
pid_t start(const std::vector<std::string>& argv, const std::vector<std::string>& environment = {}, int out = -1);

struct Exit {
  int code = 0;  // or 128 + signal
  std::int64_t cpu_ns = 0;
};
Exit wait_for_exit(pid_t pid);

}  // namespace bench
