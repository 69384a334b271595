#pragma once
// `outlast kill ID...`: ends runs with everything below them, and answers when all of it is gone.
#include <string>
#include <vector>

namespace cli {

struct KillOptions {
  std::vector<std::string> ids;
  std::string reason;
  double grace_s = 5;
  bool dry_run = false, json = false;
};

int run_kill(const KillOptions& options);

}  // namespace cli
