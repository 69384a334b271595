#include "cli/version.h"

#include "base/json.h"
#include "cli/output.h"

namespace cli {

std::string version_line() {
  auto line = "outlast " + std::string(kVersion);
  if (!kCommit.empty()) line += " (commit " + std::string(kCommit) + ")";
  return line;
}

int run_version(bool json) {
  if (json) {
    put_line(base::to_text(boost::json::object{{"version", kVersion},
                                               {"commit", kCommit.empty() ? boost::json::value() : boost::json::value(kCommit)},
                                               {"demo_provider", "scripted, offline"}}));
    return kOk;
  }
  put_line(version_line());
  put_line("demo provider: scripted, offline");
  return kOk;
}

}  // namespace cli
