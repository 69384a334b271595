#include "tool/command_paths.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "tool/command_wrappers.h"

namespace tool {

namespace {

constexpr std::array kStreams =
    std::to_array<std::string_view>({"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/zero", "/dev/urandom"});

bool changes_directory(const CommandLine& line) {
  return std::ranges::any_of(line.commands, [](const ShellCommand& command) {
    if (command.words.empty()) return false;
    const auto name = base_name(command.words.front().text);
    return name == "cd" || name == "pushd" || name == "popd";
  });
}

// "..", and what a shell might make of a component that begins with a dot.
bool goes_up(const ShellWord& word, std::string_view piece) {
  const auto parts = base::split(piece, '/');
  return std::ranges::any_of(parts, [&word](std::string_view part) {
    const bool dots = word.pattern && part.starts_with('.') && part.find_first_of("*?[") != std::string_view::npos;
    return part == ".." || dots;
  });
}

// Where in a word a path may begin: at its front, behind a separator, behind the letter of an option.
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces{text};
  for (std::size_t at = 0; at < text.size(); ++at)
    if (std::string_view("=:,@").find(text[at]) != std::string_view::npos) pieces.push_back(text.substr(at + 1));
  if (text.starts_with('-') && text.size() > 2) pieces.push_back(text.substr(2));
  if (text.starts_with('-') && text.find('/') != std::string_view::npos) pieces.push_back(text.substr(text.find('/')));
  return pieces;
}

struct Check {
  const std::vector<std::string>& allowed;
  std::string_view work_directory, directory;
  bool moves;

  bool inside(const ShellWord& word) const {
    if (word.computed) return false;
    const std::string_view text = word.text;
    if (std::ranges::find(kStreams, text) != kStreams.end() || text.starts_with("https://") || text.starts_with("http://"))
      return true;
    return std::ranges::all_of(pieces_of(text), [&](std::string_view piece) {
      if (piece.starts_with('~')) return false;
      const bool up = goes_up(word, piece);
      if (!piece.starts_with('/') && !up) return true;  // below the directory, which was looked at
      if (up && (moves || word.pattern)) return false;
      const auto whole = absolute_path(directory, piece);
      return !whole.empty() && lies_in_any(whole, allowed, work_directory);
    });
  }
};

}  // namespace

std::string absolute_path(std::string_view base, std::string_view path) {
  std::vector<std::string_view> parts;
  const auto whole = path.starts_with('/') ? std::string(path) : std::string(base) + "/" + std::string(path);
  for (const auto part : base::split(whole, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      parts.push_back(part);
    else if (parts.empty())
      return {};
    else
      parts.pop_back();
  }
  std::string out;
  for (const auto part : parts) out += "/" + std::string(part);
  return out.empty() ? "/" : out;
}

bool lies_in(std::string_view path, std::string_view root) {
  if (root == "/") return path.starts_with('/');
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

bool lies_in_any(std::string_view path, const std::vector<std::string>& roots, std::string_view work_directory) {
  return std::ranges::any_of(roots, [&](const std::string& root) {
    const auto whole = absolute_path(work_directory, root);
    return !whole.empty() && lies_in(path, whole);
  });
}

std::optional<std::string> path_outside(const CommandLine& line, const std::vector<std::string>& allowed,
                                        std::string_view work_directory, std::string_view directory) {
  if (!lies_in_any(directory, allowed, work_directory)) return std::string(directory);
  const Check check{allowed, work_directory, directory, changes_directory(line)};
  for (const auto& command : line.commands) {
    const auto name = command.words.empty() ? std::string_view() : base_name(command.words.front().text);
    // Without a word, or with "-", they lead somewhere else.
    if (name == "cd" && (command.words.size() != 2 || command.words[1].text.starts_with('-'))) return "cd";
    for (std::size_t i = 1; i < command.words.size(); ++i)
      if (!check.inside(command.words[i])) return command.words[i].text;
    for (const auto& redirect : command.redirects)
      if (!check.inside(redirect.target)) return redirect.target.text;
    for (const auto& assignment : command.assignments)
      if (!check.inside(assignment)) return assignment.text;
  }
  return std::nullopt;
}

}  // namespace tool
