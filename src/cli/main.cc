#include "cli/main.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/failpoint.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/parser.h"
#include "cli/version.h"

namespace cli {

namespace {

constexpr std::string_view kIntro =
    "Agent runs that outlast the terminal, the connection, the process and the machine.\n"
    "\n"
    "Usage: outlast COMMAND [OPTIONS]      (outlast COMMAND --help explains one)\n"
    "\n"
    "Try it, offline and without a key:\n"
    "  outlast agent demo/story \"Tell me a story\"\n"
    "  outlast agent demo/story \"Tell me a story\" --background\n"
    "  outlast ls\n";

struct Heading {
  Group group;
  std::string_view text;
};
constexpr Heading kHeadings[] = {{Group::run, "Start runs"},
                                 {Group::look, "Look at runs (any id: run, branch, or a unique beginning of one)"},
                                 {Group::steer, "Steer runs"},
                                 {Group::serve, "Serve"},
                                 {Group::system, "This program"}};

int print_help() {
  std::string out(kIntro);
  for (const auto& heading : kHeadings) {
    out += "\n" + std::string(heading.text) + ":\n";
    for (const auto& command : commands())
      if (command.group == heading.group) out += "  " + padded(command.name, 12) + std::string(command.summary) + "\n";
  }
  out +=
      "\nEverything is kept in ~/.outlast (or OUTLAST_HOME). Exit codes: 0 ok, 1 failed, 2 usage or unknown id, 3 still "
      "running,\n"
      "78 nothing ran because the environment is unusable, 124 timed out, 130 interrupted, 143 cancelled.\n";
  put(out);
  return kOk;
}

int unknown_command(const std::string& word) {
  std::vector<std::string_view> names;
  for (const auto& command : commands())
    if (command.group != Group::hidden) names.push_back(command.name);
  auto message = (word.starts_with('-') ? "unknown option '" : "unknown command '") + word + "'";
  if (const auto meant = base::nearest(word, names)) message += ", did you mean '" + std::string(*meant) + "'?";
  return complain(kUsage, message + "\nSee `outlast --help`.");
}

// A file that is opened where standard input, output or error is closed would get what was meant for them.
void keep_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);
}

int dispatch(const Words& words) {
  if (words.empty()) {
    print_help();
    return complain(kUsage, "a command is required");
  }
  const auto& first = words.front();
  if (first == "-h" || first == "--help" || (first == "help" && words.size() == 1)) return print_help();
  if (first == "--version" || first == "-V") return run_version(std::ranges::find(words, "--json") != words.end());
  Words rest(words.begin() + 1, words.end());
  auto name = first;
  if (first == "help") {
    name = rest.front();
    rest = {"--help"};
  }
  const auto all = commands();
  const auto command = std::ranges::find(all, name, &Command::name);
  if (command == all.end()) return unknown_command(name);
  return command->run(rest);
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams();
  if (const char* const failpoint = std::getenv("OUTLAST_FAILPOINT"); failpoint && *failpoint && !base::arm_failpoint(failpoint))
    return complain(kUsage, "OUTLAST_FAILPOINT names no failpoint: '" + std::string(failpoint) + "'");
  const Words words(argv + std::min(argc, 1), argv + argc);
  int code = kFailed;
  try {
    code = dispatch(words);
  } catch (const std::exception& error) {
    code = complain(kUnusable, error.what());
  }
  return output_taken() ? code : std::max(code, kFailed);
}

}  // namespace cli
