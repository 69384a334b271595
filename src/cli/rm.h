#pragma once
// `outlast rm ID...`: removes finished runs with their events and files.
#include <string>
#include <vector>

namespace cli {

struct RmOptions {
  std::vector<std::string> ids;
  bool force = false, json = false;
};

int run_rm(const RmOptions& options);

}  // namespace cli
