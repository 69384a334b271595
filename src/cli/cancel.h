#pragma once
// `outlast cancel ID...`: ends runs, and answers when they have ended.
#include <string>
#include <vector>

namespace cli {

struct CancelOptions {
  std::vector<std::string> ids;
  bool json = false;
};

int run_cancel(const CancelOptions& options);

}  // namespace cli
