#pragma once
// What an app file says about its tools besides who may call them: how the shell behaves, what it may be asked for, where tools
// may reach, how often they may be called. It travels in a run's spec, and from a run to its tasks.
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace run {

// An empty list or text, and a zero, mean: not said.
struct ShellSettings {
  std::string program;                          // what reads the command line
  std::int64_t timeout_ms = 0;                  // of a command that names none
  std::int64_t lines_max = 0;                   // of one stream in one answer
  std::vector<std::string> sensitive_patterns;  // RE2: taken out of what commands wrote, besides well-known secrets
  // Directories are absolute or relative to the work directory.
  std::vector<std::string> allowed_roots;     // where a command may run
  std::vector<std::string> allowed_paths;     // ... and what it may name
  std::vector<std::string> allowed_commands;  // only these
  std::vector<std::string> blocked_commands;
  bool read_only = false;  // only commands that change nothing
  bool operator==(const ShellSettings&) const = default;
};

// Calls of a session, all tools that it names together.
struct RateLimit {
  std::string module;
  std::vector<std::string> actions = {};  // none: all of the module
  std::int64_t calls_max = 0, per_ms = 0;
  bool operator==(const RateLimit&) const = default;
};

struct ToolSettings {
  ShellSettings shell;
  std::vector<std::string> file_paths;  // what of the work directory the file tools see; none: all
  std::vector<RateLimit> rate_limits;
  bool operator==(const ToolSettings&) const = default;
};

// Empty where nothing is said.
boost::json::object encode(const ToolSettings& settings);
ToolSettings decode_tool_settings(const boost::json::object& object);

}  // namespace run
