#include "cli/version.h"

#include "base/json.h"
#include "cli/output.h"

namespace cli {

std::string_view commit() {
#ifdef OUTLAST_COMMIT
  return OUTLAST_COMMIT;
#else
  return "";
#endif
}

std::string version_line() {
  auto line = "outlast " + std::string(kVersion);
  if (!commit().empty()) line += " (commit " + std::string(commit()) + ")";
  return line;
}

int run_version(bool json) {
  if (json) {
    put_line(base::to_text(boost::json::object{{"version", kVersion},
                                               {"commit", commit().empty() ? boost::json::value() : boost::json::value(commit())},
                                               {"demo_provider", "scripted, offline"}}));
    return kOk;
  }
  put_line(version_line());
  put_line("demo provider: scripted, offline");
  return kOk;
}

}  // namespace cli
