// The prompt of a playbook: its placeholders, and what they are replaced by.
#include <algorithm>

#include "app/playbook.h"
#include "base/limits.h"
#include "base/text.h"

namespace app {

namespace {

namespace limits = base::limits;

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9') || c == '-'; }

// The name that stands at `at`; empty where none does.
std::string_view name_at(std::string_view text, std::size_t at) {
  if (at >= text.size() || !begins_name(text[at])) return {};
  const auto rest = text.substr(at, limits::kPlaybookArgNameBytesMax + 1);
  const auto end = std::find_if_not(rest.begin(), rest.end(), in_name);
  const auto bytes = static_cast<std::size_t>(end - rest.begin());
  return bytes <= limits::kPlaybookArgNameBytesMax ? rest.substr(0, bytes) : std::string_view();
}

// Calls `text` with every stretch that stays, `place` with every placeholder's name and where it stands, in order.
template <class Text, class Place>
void walk(std::string_view prompt, const Text& text, const Place& place) {
  std::size_t begin = 0, at = 0;  // of what stays; of the brace looked at
  // "{{{name}}}" is a placeholder in braces, "{{name}}" is "{name}" in so many letters.
  const auto take = [&](std::size_t braces) {
    const auto name = name_at(prompt, at + braces);
    if (name.empty() || prompt.substr(at, braces) != std::string_view("{{{", braces)) return false;
    const auto after = at + braces + name.size();
    if (prompt.substr(after, braces) != std::string_view("}}}", braces)) return false;
    text(prompt.substr(begin, at - begin));
    if (braces == 2) text(prompt.substr(at + 1, name.size() + 2));
    if (braces == 3) text("{");
    if (braces != 2) place(name, at + braces - 1);
    if (braces == 3) text("}");
    begin = at = after + braces;
    return true;
  };
  while ((at = prompt.find('{', at)) != prompt.npos)
    if (!take(3) && !take(2) && !take(1)) ++at;
  text(prompt.substr(begin));
}

std::vector<std::string_view> names_of(const Playbook& playbook) {
  std::vector<std::string_view> names;
  for (const auto& arg : playbook.args) names.push_back(arg.name);
  return names;
}

// What stands for each argument; what is wrong with those that are given goes to `wrong`, a line each.
std::map<std::string, std::string, std::less<>> values_of(const Playbook& playbook,
                                                          const std::map<std::string, std::string>& args, std::string& wrong) {
  const auto tell = [&](const std::string& line) {
    if (wrong.size() < limits::kPlaybookPromptBytesMax) wrong += (wrong.empty() ? "" : "\n") + line;
  };
  std::map<std::string, std::string, std::less<>> values;
  for (const auto& arg : playbook.args) {
    const auto given = args.find(arg.name);
    if (given == args.end()) {
      if (arg.required) tell("argument '" + arg.name + "' of playbook '" + shown(playbook.name) + "' is required");
      values[arg.name] = arg.default_value.value_or(arg.type == PlaybookArg::Type::boolean ? "false" : "");
    } else if (auto value = arg_value(arg, given->second)) {
      values[arg.name] = std::move(*value);
    } else {
      tell("argument '" + arg.name + "' of playbook '" + shown(playbook.name) + "' " + value.error().message);
    }
  }
  for (const auto& [name, text] : args)
    if (std::ranges::find(playbook.args, name, &PlaybookArg::name) == playbook.args.end())
      tell("playbook '" + shown(playbook.name) + "' has no argument '" + shown(name) + "'" +
           did_you_mean(name, names_of(playbook)));
  return values;
}

}  // namespace

bool placeholder_name(std::string_view name) { return !name.empty() && name_at(name, 0) == name; }

std::vector<Placeholder> placeholders_of(std::string_view prompt) {
  std::vector<Placeholder> places;
  walk(prompt, [](std::string_view) {}, [&](std::string_view name, std::size_t at) { places.push_back({name, at}); });
  return places;
}

base::Result<std::string> filled_prompt(const Playbook& playbook, const std::map<std::string, std::string>& args,
                                        const std::string& input) {
  using base::Errc;
  std::string wrong;
  auto values = values_of(playbook, args, wrong);
  if (!base::valid_utf8(input) || input.find('\0') != input.npos)
    wrong += std::string(wrong.empty() ? "" : "\n") + "the input is not valid UTF-8 without NUL";
  if (!wrong.empty()) return base::fail(Errc::invalid_argument, wrong);
  values["input"] = input;
  std::string out;
  bool has_input = false, too_long = false;
  const auto append = [&](std::string_view text) {
    too_long = too_long || out.size() + text.size() > limits::kPlaybookPromptBytesMax;
    if (!too_long) out += text;
  };
  walk(playbook.prompt, append, [&](std::string_view name, std::size_t) {
    has_input = has_input || name == "input";
    if (const auto value = values.find(name); value != values.end()) append(value->second);
  });
  if (!has_input && !base::trim(input).empty()) {
    if (!base::trim(out).empty()) append(out.ends_with('\n') ? "\n" : "\n\n");
    append(input);
  }
  if (too_long)
    return base::fail(Errc::invalid_argument, "the prompt of playbook '" + shown(playbook.name) + "' becomes longer than " +
                                                  std::to_string(limits::kPlaybookPromptBytesMax) + " bytes");
  if (base::trim(out).empty())
    return base::fail(Errc::invalid_argument, "the prompt of playbook '" + shown(playbook.name) + "' is empty: give it an input");
  return out;
}

}  // namespace app
