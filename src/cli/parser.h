#pragma once
// The commands with their options (option_parser.h knows the library that reads them).
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

using Words = std::vector<std::string>;

enum class Group { run, look, steer, serve, system, hidden };

struct Command {
  std::string_view name;
  Group group;
  std::string_view summary;        // one line of `outlast --help`
  int (*run)(const Words& words);  // the words after the command's name
};

std::span<const Command> commands();

}  // namespace cli
