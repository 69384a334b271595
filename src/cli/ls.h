#pragma once
// `outlast ls`: the runs of this home, newest first.
#include <cstdint>
#include <optional>
#include <string>

namespace cli {

struct LsOptions {
  bool tasks = false;  // tool calls in the background too
  bool all = false, json = false;
  std::int64_t count = 20;
  std::optional<std::string> status, session;
};

int run_ls(const LsOptions& options);

// `outlast __ids`: run ids for shell completion, newest first, one a line.
int run_ids();

}  // namespace cli
