#pragma once
// `outlast logs ID`: the events of a run, one a line.
#include <cstdint>
#include <string>

namespace cli {

struct LogsOptions {
  std::string id;
  std::uint64_t from = 0;
  bool follow = false, json = false;
};

int run_logs(const LogsOptions& options);

}  // namespace cli
