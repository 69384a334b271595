#include "cli/actions.h"

#include <algorithm>

#include "base/text.h"
#include "cli/columns.h"

namespace cli {

namespace {

std::string help_text(std::span<const Action> actions, const std::string& closing) {
  std::size_t columns = 0;
  for (const auto& action : actions) columns = std::max(columns, action.usage.size());
  std::string text;
  for (const auto& action : actions)
    if (!action.usage.empty()) text += padded(action.usage, columns + 2) + std::string(action.summary) + "\n";
  return text + "\n" + closing;
}

}  // namespace

std::string action_names(std::span<const Action> actions, char separator) {
  std::string names;
  for (const auto& action : actions)
    if (!action.usage.empty()) names += (names.empty() ? "" : std::string(1, separator)) + std::string(action.name);
  return names;
}

int run_action(std::string_view command, std::span<const Action> actions, const Words& words, const std::string& about, const std::string& closing) {
  const auto found = words.empty() ? actions.end() : std::ranges::find(actions, words.front(), &Action::name);
  if (found != actions.end()) return found->run(Words(words.begin() + 1, words.end()));
  if (words.empty() || words.front().starts_with('-')) {
    std::string action;
    Parser p(std::string(command), action_names(actions, '|') + " [OPTIONS]", about, help_text(actions, closing));
    p.app.add_option("action", action, "what to do")->required();
    return p.parse(words).value_or(kUsage);
  }
  std::vector<std::string_view> names;
  for (const auto& known : actions) names.push_back(known.name);
  const auto meant = base::nearest(words.front(), names);
  return complain(kUsage, "unknown action '" + words.front() + "'" + (meant ? ", did you mean '" + std::string(*meant) + "'?" : "") + "\nSee `outlast " + std::string(command) + " --help`.");
}

}  // namespace cli
