#pragma once
// `outlast service install|uninstall|status`: the server as a systemd user unit, so that runs go on after a reboot.
#include <string>
#include <vector>

namespace cli {

struct ServiceOptions {
  std::string action;              // install, uninstall, status
  std::vector<std::string> serve;  // words for `outlast serve`, of install
  bool print = false;              // the unit to stdout, nothing is changed
};

int run_service(const ServiceOptions& options);

// The unit's text. Words are quoted as systemd.syntax(7) reads them.
std::string service_unit(const std::string& program, const std::string& home, const std::string& directory,
                         const std::vector<std::string>& serve);

}  // namespace cli
