#pragma once
// `outlast play list`, `outlast play check NAME|FILE`, `outlast play NAME …`.
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct PlayOptions {
  std::string name;                   // list, check, or of a playbook
  std::optional<std::string> target;  // of check
  bool json = false;                  // of list and check
  std::vector<std::string> words;     // of a playbook: all that follows its name, as it was given
};

int run_play(const PlayOptions& options);

}  // namespace cli
