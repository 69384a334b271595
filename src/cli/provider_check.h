#pragma once
// Which model providers can be called from here, and where their keys come from (never the keys).
#include <string>
#include <vector>

#include "cli/process.h"

namespace cli {

struct ProviderCheck {
  std::string name;
  bool usable = false;
  std::string key_from;  // "OPENAI_API_KEY", "config.yaml"; "" none
  std::string detail;    // for people: what to do where it is not usable
};

// Every provider known by name, then those that config.yaml adds. Nothing is called.
std::vector<ProviderCheck> check_providers(const Settings& settings);

}  // namespace cli
