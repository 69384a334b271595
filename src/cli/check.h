#pragma once
// `outlast check FILE...`: what is wrong with app files and profiles, and what the policy made of their agents.
#include <string>
#include <vector>

namespace cli {

struct CheckOptions {
  std::vector<std::string> files;
  bool json = false, strict = false;
};

int run_check(const CheckOptions& options);

}  // namespace cli
