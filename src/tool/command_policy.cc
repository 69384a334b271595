#include "tool/command_policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tool/command_paths.h"
#include "tool/command_wrappers.h"
#include "tool/reading_commands.h"
#include "tool/work_directory.h"

namespace tool {

namespace {

constexpr std::size_t kEntryBytesMax = 256;
constexpr std::size_t kLineBytesMax = 128 << 10;  // what one argument of a program may have
constexpr std::array kUnderstood = std::to_array<std::string_view>({"", "sh", "bash", "dash"});
constexpr std::array kProgramDirectories =
    std::to_array<std::string_view>({"/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/usr/local/sbin"});
// Variables that may be set for a command: they change how it looks, not what it does.
constexpr std::array kHarmless = std::to_array<std::string_view>(
    {"LANG", "LANGUAGE", "TZ", "CI", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLUMNS", "LINES", "TERM", "NODE_ENV"});
constexpr std::string_view kShellSigns = "|&;<>()$`\"'\\{}\n";

std::vector<std::string> words_of(std::string_view entry) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : entry) {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  if (words.size() > 1 && words.back() == "*") words.pop_back();  // "git *" is git with whatever follows
  return words;
}

// '*' stands for any characters.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool short_options(std::string_view word) { return word.size() > 1 && word[0] == '-' && word[1] != '-'; }

// Whether a blocked entry's further words are all there: options in any order and grouping, and a computed word may be any.
bool has_words(const std::vector<std::string>& wanted, const std::vector<ShellWord>& words) {
  std::string letters;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].computed) return true;
    if (short_options(words[i].text)) letters += words[i].text.substr(1);
  }
  for (std::size_t i = 1; i < wanted.size(); ++i) {
    const auto equal = [&](const ShellWord& word) { return matches(wanted[i], word.text); };
    const bool there = std::any_of(words.begin() + 1, words.end(), equal);
    const bool grouped = short_options(wanted[i]) && wanted[i].find_first_not_of(letters, 1) == std::string::npos;
    if (!there && !grouped) return false;
  }
  return true;
}

bool blocked_by(const std::vector<std::string>& entry, const std::vector<ShellWord>& words) {
  return !words.empty() && matches(base_name(entry.front()), base_name(words.front().text)) && has_words(entry, words);
}

// The words of a text of which nothing else is understood.
std::vector<ShellWord> rough_words(std::string_view text) {
  std::vector<ShellWord> words;
  std::string word;
  const auto close = [&] {
    if (!word.empty()) words.push_back({.text = std::exchange(word, {})});
  };
  for (const char c : text) {
    const bool part = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("_-./+@%*").find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80;
    if (part)
      word += c;
    else if (c != '\'' && c != '"' && c != '\\')  // r'm', r\m
      close();
  }
  close();
  return words;
}

bool roughly_blocked(const std::vector<std::string>& entry, std::string_view text) {
  auto words = rough_words(text);
  const auto named =
      std::ranges::find_if(words, [&](const ShellWord& word) { return matches(base_name(entry.front()), base_name(word.text)); });
  // The first one has the most words behind it.
  words.erase(words.begin(), named);
  return blocked_by(entry, words);
}

std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' && c != '\t') out += c;
  return out;
}

// The entry that stands in the way; nothing: none.
std::optional<std::string> blocked(const std::vector<std::string>& entries, const CommandLine& line, std::string_view text) {
  for (const auto& entry : entries) {
    const auto words = words_of(entry);
    if (words.empty()) continue;
    if (entry.find_first_of(kShellSigns) != std::string::npos) {
      if (squeezed(text).find(squeezed(entry)) != std::string::npos) return entry;
      continue;
    }
    for (const auto& command : line.commands)
      if (blocked_by(words, command.words)) return entry;
    for (const auto& code : line.code)
      if (roughly_blocked(words, code)) return entry;
    if (!line.doubts.hidden.empty() && roughly_blocked(words, text)) return entry;
  }
  return std::nullopt;
}

bool is_program(std::string_view entry, std::string_view word, bool moves, const CommandPlace& place) {
  if (entry.find('/') != std::string_view::npos) {
    const bool relative = !entry.starts_with('/');
    return word == entry && (!relative || (!moves && place.directory == place.work_directory));
  }
  const auto slash = word.rfind('/');
  if (slash == std::string_view::npos) return matches(entry, word);
  return matches(entry, word.substr(slash + 1)) &&
         std::ranges::find(kProgramDirectories, word.substr(0, slash)) != kProgramDirectories.end();
}

bool allowed_by(const std::vector<std::string>& entry, const ShellCommand& command, bool moves, const CommandPlace& place) {
  if (entry.empty() || command.words.size() < entry.size() ||
      !is_program(entry.front(), command.words.front().text, moves, place))
    return false;
  for (std::size_t i = 1; i < entry.size(); ++i)
    if (!command.words[i].literal() || !matches(entry[i], command.words[i].text)) return false;
  return true;
}

// A variable that is set for nothing but the line itself, or that no program reads its orders from.
bool harmless(const ShellWord& assignment, bool for_a_command) {
  const auto name = std::string_view(assignment.text).substr(0, assignment.text.find_first_of("=+"));
  if (std::ranges::find(kHarmless, name) != kHarmless.end() || name.starts_with("LC_")) return true;
  return !for_a_command && std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string names_of(const std::vector<std::string>& entries) {
  constexpr std::size_t kShown = 30;
  std::string text;
  for (std::size_t i = 0; i < std::min(entries.size(), kShown); ++i) text += (i ? ", " : "") + entries[i];
  return entries.size() > kShown ? text + ", …" : text;
}

std::string quoted(std::string_view text) { return "'" + shown(text) + "'"; }

std::optional<std::string> not_understood(const Doubts& doubts) {
  const auto* why = !doubts.computed.empty() ? &doubts.computed : !doubts.hidden.empty() ? &doubts.hidden : &doubts.altered;
  if (why->empty()) return std::nullopt;
  return "not allowed: this command line is not understood for sure (" + shown(*why) +
         "), and only what is understood may run here. Write it more plainly.";
}

std::optional<std::string> not_allowed(const run::ShellSettings& settings, const CommandLine& line, const CommandPlace& place) {
  std::vector<std::vector<std::string>> entries;
  for (const auto& entry : settings.allowed_commands) entries.push_back(words_of(entry));
  const bool moves = std::ranges::any_of(line.commands, [](const ShellCommand& c) {
    return !c.words.empty() && (c.words.front().text == "cd" || c.words.front().text == "pushd");
  });
  for (const auto& command : line.commands) {
    for (const auto& assignment : command.assignments)
      if (!harmless(assignment, !command.words.empty()))
        return "not allowed: setting " + quoted(assignment.text.substr(0, assignment.text.find('='))) + " may change what runs";
    for (const auto& redirect : command.redirects)
      if (redirect.target.computed || redirect.target.text.starts_with("/dev/tcp") ||
          redirect.target.text.starts_with("/dev/udp"))
        return "not allowed: a redirection to " + quoted(redirect.target.text);
    if (command.words.empty()) continue;
    const auto& name = command.words.front().text;
    if (settings.read_only)
      if (auto why = not_reading(command))
        return "not allowed: " + quoted(name) + " " + *why + ", and commands may only read here";
    const auto allows = [&](const std::vector<std::string>& entry) { return allowed_by(entry, command, moves, place); };
    if (!entries.empty() && std::ranges::none_of(entries, allows))
      return "not allowed: " + quoted(name) + (command.words.size() > 1 ? " with these words" : "") +
             " is not among the allowed commands: " + names_of(settings.allowed_commands);
  }
  if (settings.read_only)
    for (const auto& command : line.commands)
      for (const auto& redirect : command.redirects)
        if (redirect.writes && redirect.target.text != "/dev/null")
          return "not allowed: it writes to " + quoted(redirect.target.text) + ", and commands may only read here";
  return std::nullopt;
}

}  // namespace

bool understands_shell(std::string_view program) {
  return std::ranges::find(kUnderstood, base_name(program)) != kUnderstood.end();
}

std::optional<std::string> refuse_command(const run::ShellSettings& settings, std::string_view text, const CommandPlace& place) {
  const bool strict = !settings.allowed_commands.empty() || !settings.allowed_paths.empty() || settings.read_only;
  if (!strict && settings.blocked_commands.empty()) return std::nullopt;
  if (text.size() > kLineBytesMax)
    return "not allowed: the command line has more than " + std::to_string(kLineBytesMax) + " bytes";
  const auto line = understand_command_line(text);
  if (auto entry = blocked(settings.blocked_commands, line, text))
    return "blocked: " + quoted(*entry) + " is a blocked command here";
  if (!strict) {
    if (line.doubts.computed.empty()) return std::nullopt;
    return "blocked: " + shown(line.doubts.computed) + ". Some commands are blocked here, so write out what is to run.";
  }
  if (!understands_shell(settings.program))
    return "not allowed: the command lines of " + settings.program + " are not understood here";
  if (auto why = not_understood(line.doubts)) return why;
  if (auto why = not_allowed(settings, line, place)) return why;
  if (settings.allowed_paths.empty()) return std::nullopt;
  const auto outside = path_outside(line, settings.allowed_paths, place.work_directory, place.directory);
  if (!outside) return std::nullopt;
  return "not allowed: " + quoted(*outside) + " is not inside the allowed paths: " + names_of(settings.allowed_paths);
}

base::Result<> check_allowed_command(std::string_view entry) {
  if (words_of(entry).empty()) return base::fail(base::Errc::invalid_argument, "names no command");
  if (entry.size() > kEntryBytesMax)
    return base::fail(base::Errc::invalid_argument, "is longer than " + std::to_string(kEntryBytesMax) + " bytes");
  if (entry.find_first_of(kShellSigns) != std::string_view::npos)
    return base::fail(base::Errc::invalid_argument,
                      "must be a command's name and the words that follow it, without quotes and operators");
  return {};
}

base::Result<> check_blocked_command(std::string_view entry) {
  if (words_of(entry).empty()) return base::fail(base::Errc::invalid_argument, "names no command");
  if (entry.size() > kEntryBytesMax)
    return base::fail(base::Errc::invalid_argument, "is longer than " + std::to_string(kEntryBytesMax) + " bytes");
  return {};
}

}  // namespace tool
