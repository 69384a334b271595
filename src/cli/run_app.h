#pragma once
// `outlast run APP.yaml "MESSAGE"`: one run of an app's agent, in a process of its own, shown or left in the background.
#include <optional>
#include <string>
#include <vector>

#include "cli/app_request.h"

namespace cli {

struct RunAppOptions {
  AppOptions app;
  std::optional<std::string> message;  // "-": standard input
  bool background = false, json = false, verbose = false;
  std::vector<std::string> command;    // the whole command line, for the record
};

int run_run_app(const RunAppOptions& options);

}  // namespace cli
