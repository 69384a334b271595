#pragma once
// `outlast wait ID...`: one line for each run when it has ended.
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct WaitOptions {
  std::vector<std::string> ids;
  std::optional<double> timeout_s;
  double interval_s = 0.5;  // the net below a lost wake-up
  bool json = false;
};

int run_wait(const WaitOptions& options);

}  // namespace cli
