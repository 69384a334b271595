#pragma once
// A command line taken apart as bash and POSIX shells read it, without running anything: the simple commands in it, those in
// substitutions, groups, loops and here-documents too. What cannot be told for sure is said. Pure.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

struct ShellWord {
  std::string text;                             // without its quotes; an expansion as it is written
  bool quoted = false;                          // somewhere: then it is no keyword
  bool computed = false;                        // an expansion makes something of it that is not known here
  bool splits = false;                          // ... or several words
  bool pattern = false;                         // holds an unquoted * ? [...]
  std::size_t plain_until = std::string::npos;  // of the text: before the first quote or expansion
  std::size_t certain_from = 0;                 // of the text: behind the last expansion
  bool literal() const { return !computed && !pattern; }
};

struct ShellRedirect {
  ShellWord target;  // a file
  bool writes = false;
};

struct ShellCommand {
  std::vector<ShellWord> assignments, words;
  std::vector<ShellRedirect> redirects;
  bool is_empty() const { return assignments.empty() && words.empty() && redirects.empty(); }
};

// The first reason of each kind; "" none.
struct Doubts {
  std::string altered;   // something may change what a word means later on
  std::string hidden;    // there may be commands in it that were not found
  std::string computed;  // what would run is the outcome of something that runs before
};

struct CommandLine {
  std::vector<ShellCommand> commands;
  std::vector<std::string> code = {};  // given to interpreters of other languages
  Doubts doubts = {};
};

CommandLine parse_command_line(std::string_view text);

// NAME=value, NAME+=value, NAME[...]=value, as it stands before a command.
bool is_assignment(const ShellWord& word);

}  // namespace tool
