#include "app/playbook_args.h"

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "base/text.h"

namespace app {

namespace {

namespace limits = base::limits;
using ArgType = PlaybookArg::Type;

struct TypeName {
  std::string_view text;
  ArgType type;
};
// The first of a type is what it is called; `str` and `float` are LionAGI's words.
constexpr TypeName kTypes[] = {{"string", ArgType::string}, {"int", ArgType::integer},   {"number", ArgType::number},
                               {"bool", ArgType::boolean},  {"choice", ArgType::choice}, {"str", ArgType::string},
                               {"float", ArgType::number}};
constexpr std::string_view kTypeNames[] = {"string", "int", "number", "bool", "choice", "str", "float"};

constexpr Field kArg[] = {
    {"type", one_of(kTypeNames)}, {"choices", texts()}, {"default", text()}, {"help", text()}, {"required", boolean()},
};
constexpr Shape kArgShape = map_of(kArg);

// Arguments become flags; these the command has itself, so that an argument of such a name could never be given.
constexpr std::string_view kOwnFlags[] = {
    "agent",      "background",  "bare",      "bypass",  "cwd",     "dry-run",        "effort",         "help",   "input",
    "json",       "max-agents",  "max-ops",   "model",   "notify",  "output",         "max-concurrent", "resume", "save",
    "show-graph", "team-attach", "team-mode", "timeout", "verbose", "with-synthesis", "workers",        "yolo",
};

// As it is written on a command line.
std::string flag_of(std::string_view name) {
  auto flag = base::to_lower(name);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

ArgType type_of(const Node* node) {
  const auto* known = node ? std::ranges::find(kTypes, node->text, &TypeName::text) : std::end(kTypes);
  return known == std::end(kTypes) ? ArgType::string : known->type;
}

void check_name(const Member& member, const std::string& path, std::set<std::string>& flags, Problems& problems) {
  if (!placeholder_name(member.key)) {
    problems.add(path,
                 "an argument's name has 1 to " + std::to_string(limits::kPlaybookArgNameBytesMax) +
                     " letters, digits, '_' and '-', and begins with a letter or '_'",
                 member.mark, Code::format);
    return;
  }
  const auto flag = flag_of(member.key);
  if (std::ranges::find(kOwnFlags, flag) != std::end(kOwnFlags))
    problems.add(path, "'" + flag + "' means something else to `outlast play`; choose another name", member.mark, Code::choice);
  else if (!flags.insert(flag).second)
    problems.add(path, "another argument has the flag --" + flag + " already", member.mark, Code::duplicate_id);
}

void read_choices(const Node& given, const std::string& path, const Member& member, PlaybookArg& arg, Problems& problems) {
  const auto* choices = given.find("choices");
  arg.choices = texts_of(choices);
  if (arg.type == ArgType::choice && arg.choices.empty())
    problems.add(child(path, "choices"), "is required where type is choice", choices ? choices->mark : member.mark,
                 Code::missing);
  if (arg.type != ArgType::choice && choices)
    problems.add(child(path, "choices"), "is only for the type choice", choices->mark, Code::choice);
}

PlaybookArg read_arg(const Member& member, const std::string& path, Problems& problems) {
  const auto& given = member.value;
  PlaybookArg arg;
  arg.name = member.key;
  arg.type = type_of(given.find("type"));
  if (const auto* help = given.find("help")) arg.help = std::string(base::trim(help->text));
  if (const auto* required = given.find("required")) arg.required = as_bool(*required) == true;
  read_choices(given, path, member, arg, problems);
  const auto* value = given.find("default");
  if (!value || !value->is_scalar()) return arg;
  if (arg.required) problems.add(child(path, "default"), "has no effect, as the argument is required", value->mark, Code::choice);
  if (auto fits = arg_value(arg, value->text))
    arg.default_value = std::move(*fits);
  else
    problems.add(child(path, "default"), fits.error().message, value->mark, Code::wrong_type);
  return arg;
}

std::string listed(const std::vector<std::string>& words) {
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "" : ", ") + shown(word);
  return list;
}

}  // namespace

const Shape kPlaybookArgsShape = open_map(&kArgShape);

std::string_view name(PlaybookArg::Type type) { return std::ranges::find(kTypes, type, &TypeName::type)->text; }

std::vector<PlaybookArg> read_playbook_args(const Node* node, Problems& problems) {
  std::vector<PlaybookArg> args;
  if (!node || !node->is_map()) return args;
  if (node->members.size() > limits::kPlaybookArgsMax) {
    problems.add("args", "has more than " + std::to_string(limits::kPlaybookArgsMax) + " arguments", node->mark, Code::range);
    return args;
  }
  std::set<std::string> flags;
  for (const auto& member : node->members) {
    const auto path = child("args", member.key);
    check_name(member, path, flags, problems);
    args.push_back(read_arg(member, path, problems));
  }
  return args;
}

base::Result<std::string> arg_value(const PlaybookArg& arg, std::string_view text) {
  const auto refuse = [&](const std::string& what) -> base::Result<std::string> {
    return base::fail(base::Errc::invalid_argument, "must be " + what + ", not '" + shown(text) + "'");
  };
  Node value;
  value.kind = Node::Kind::scalar;
  value.text = std::string(base::trim(text));
  switch (arg.type) {
    case ArgType::string:
      if (!base::valid_utf8(text) || text.find('\0') != text.npos) return refuse("valid UTF-8 without NUL");
      return std::string(text);
    case ArgType::integer: return as_int(value) ? base::Result<std::string>(value.text) : refuse("an integer");
    case ArgType::number: return as_number(value) ? base::Result<std::string>(value.text) : refuse("a number");
    case ArgType::boolean:
      if (const auto flag = as_bool(value)) return std::string(*flag ? "true" : "false");
      return refuse("true or false");
    case ArgType::choice: {
      if (std::ranges::find(arg.choices, value.text) != arg.choices.end()) return value.text;
      const std::vector<std::string_view> choices(arg.choices.begin(), arg.choices.end());
      return base::fail(base::Errc::invalid_argument,
                        "must be one of: " + listed(arg.choices) + did_you_mean(value.text, choices));
    }
  }
  return refuse("something else");
}

}  // namespace app
