#pragma once
// `outlast show ID`: everything about one run.
#include <string>

namespace cli {

struct ShowOptions {
  std::string id;
  bool json = false;
};

int run_show(const ShowOptions& options);

}  // namespace cli
