#include "tool/reading_commands.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"
#include "tool/command_wrappers.h"

namespace tool {

namespace {

// Whatever options they are given. Wrappers are here too: what they wrap is looked at by itself.
constexpr std::array kReading = std::to_array<std::string_view>(
    {"cat",   "head", "tail",   "wc",     "ls",      "pwd",     "cd",       "echo",      "printf",    "true",      "false",
     ":",     "exit", "test",   "[",      "read",    "break",   "continue", "grep",      "egrep",     "fgrep",     "cut",
     "tr",    "nl",   "tac",    "rev",    "fold",    "fmt",     "expand",   "unexpand",  "paste",     "join",      "comm",
     "cmp",   "diff", "seq",    "od",     "hexdump", "strings", "basename", "dirname",   "realpath",  "readlink",  "stat",
     "du",    "df",   "id",     "whoami", "groups",  "uname",   "arch",     "nproc",     "printenv",  "which",     "type",
     "sleep", "ps",   "uptime", "free",   "md5sum",  "cksum",   "sha1sum",  "sha224sum", "sha256sum", "sha384sum", "sha512sum",
     "b2sum", "sum",  "jq",     "env",    "command", "xargs",   "timeout",  "nice"});

// ... but for these: letters of short options, and long options and other words, each between blanks.
struct Except {
  std::string_view name, letters, words;
};
constexpr Except kExcept[] = {
    {"sort", "oT", "--output --compress-program --temporary-directory"},
    {"date", "s", "--set"},
    {"tree", "oR", "--output"},
    {"file", "C", "--compile"},
    {"rg", "", "--pre --hostname-bin"},
    {"uniq", "", ""},
    {"time", "o", "--output"},
    {"find", "", "-delete -fprint -fprint0 -fprintf -fls"},
};

bool forbids(const Except& except, const std::string& word) {
  if (word.size() < 2 || word.front() != '-') return false;
  const auto name = word.substr(0, word.find('='));
  for (const auto forbidden : base::split(except.words, ' ')) {
    if (forbidden.empty()) continue;
    // GNU takes any beginning of a long option for it.
    if (name == forbidden || (name.size() > 2 && name.starts_with("--") && forbidden.starts_with(name))) return true;
  }
  return word[1] != '-' && word.find_first_of(except.letters, 1) != std::string::npos;
}

}  // namespace

std::optional<std::string> not_reading(const ShellCommand& command) {
  const auto name = base_name(command.words.front().text);
  if (std::ranges::find(kReading, name) != kReading.end()) return std::nullopt;
  const auto* except = std::ranges::find(kExcept, name, &Except::name);
  if (except == std::end(kExcept)) return "is not known to change nothing";
  std::size_t operands = 0;
  for (std::size_t i = 1; i < command.words.size(); ++i) {
    const auto& word = command.words[i];
    if (!word.literal()) return "has words that are not known";
    if (forbids(*except, word.text)) return "with " + word.text + " writes";
    operands += !word.text.starts_with('-');
  }
  if (name == "uniq" && operands > 1) return "writes its second file";
  return std::nullopt;
}

}  // namespace tool
