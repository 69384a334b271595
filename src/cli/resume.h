#pragma once
// `outlast resume`: starts executors for runs whose own are dead, e.g. after a reboot.
#include <string>
#include <vector>

namespace cli {

struct ResumeOptions {
  std::vector<std::string> ids;
  bool all = false, json = false;
};

int run_resume(const ResumeOptions& options);

}  // namespace cli
