#pragma once
// Commands that are several: `outlast task add`, `outlast team send` ... Each action parses its own words.
#include <span>
#include <string>
#include <string_view>

#include "cli/option_parser.h"

namespace cli {

struct Action {
  std::string_view name;
  std::string_view usage, summary;  // of a line of the help; "": another word for one that has it
  int (*run)(const Words& words);
};

// Those that have a line in the help.
std::string action_names(std::span<const Action> actions, char separator);

// Runs the action that the first word names, or says which there are. `about` the command is for its help, `closing` its last line.
int run_action(std::string_view command, std::span<const Action> actions, const Words& words, const std::string& about, const std::string& closing);

}  // namespace cli
