#pragma once
// `outlast monitor [ID]`: what goes on in this home, or below one run, as a table that may repaint itself.
#include <optional>
#include <string>

namespace cli {

struct MonitorOptions {
  std::string id;  // "" the whole home
  bool watch = false, json = false;
  double refresh_s = 2;
  std::string since;
};

int run_monitor(const MonitorOptions& options);

}  // namespace cli
