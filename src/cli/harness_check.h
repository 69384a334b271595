#pragma once
// Which coding-agent programs are there, for `outlast doctor`.
#include <string>
#include <vector>

#include "cli/process.h"

namespace cli {

struct HarnessCheck {
  std::string name, path, version;
  bool found = false;
  std::string detail;  // how it differs from the one that was tried, or why it cannot be asked
};

// Runs each program once, all at the same time, for its version. Blocks for as long as the slowest of them takes, some seconds at most.
std::vector<HarnessCheck> check_harnesses(const Settings& settings);

}  // namespace cli
