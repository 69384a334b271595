#include "base/process_identity.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/text.h"

namespace base {

namespace {

// Field 22 of proc(5) stat.
std::optional<std::int64_t> start_time(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::stringstream content;
  content << file.rdbuf();
  const auto text = content.str();
  const auto name_end = text.rfind(')');  // the name may hold anything, also spaces and brackets
  if (name_end == std::string::npos) return std::nullopt;
  const auto fields = split(trim(std::string_view(text).substr(name_end + 1)), ' ');
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  return parse_int(fields[19]);
}

}  // namespace

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string line;
  std::getline(file, line);
  return line;
}

ProcessIdentity this_process() { return {.pid = getpid(), .start = start_time(getpid()).value_or(0), .boot_id = boot_id()}; }

std::optional<ProcessIdentity> identity_of(std::int64_t pid) {
  const auto start = start_time(pid);
  if (!start) return std::nullopt;
  return ProcessIdentity{.pid = pid, .start = *start, .boot_id = boot_id()};
}

bool lives(const ProcessIdentity& process) {
  return process.pid > 0 && start_time(process.pid) == process.start && boot_id() == process.boot_id;
}

}  // namespace base
