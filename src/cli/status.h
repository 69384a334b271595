#pragma once
// `outlast status ID`: how it stands with a run, in words, as JSON and as an exit code.
#include <string>

namespace cli {

struct StatusOptions {
  std::string id;
  bool json = false;
};

int run_status(const StatusOptions& options);

}  // namespace cli
