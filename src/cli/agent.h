#pragma once
// `outlast agent [MODEL] PROMPT`: starts a run in a process of its own and shows it, or leaves it in the background.
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct AgentOptions {
  std::vector<std::string> words;  // [MODEL] PROMPT as given
  std::optional<std::string> profile, resume, effort, cwd, tools, system;
  std::optional<double> timeout_s;
  std::optional<std::string> recovery;
  bool continue_last = false, background = false, json = false, yolo = false, verbose = false;
  std::vector<std::string> command;  // the whole command line, for the record
};

int run_agent(const AgentOptions& options);

}  // namespace cli
