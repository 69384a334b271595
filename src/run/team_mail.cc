#include "run/team_mail.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace run {

namespace limits = base::limits;

namespace {

constexpr std::array<std::string_view, 5> kKinds = {"", "message", "done", "finished", "wakeup"};

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

base::Result<std::string> name_of(std::string_view what, std::string_view text) {
  const auto wrong = [what](const std::string& why) {
    return base::fail(base::Errc::invalid_argument, std::string(what) + " " + why);
  };
  text = base::trim(text);
  if (text.empty()) return wrong("is empty");
  if (text.size() > limits::kTeamNameBytesMax)
    return wrong("is " + std::to_string(text.size()) + " bytes long, the limit is " + std::to_string(limits::kTeamNameBytesMax));
  if (!base::valid_utf8(text)) return wrong("is not valid UTF-8");
  if (has_control(text)) return wrong("has a control character in it");
  return std::string(text);
}

bool means_everybody(std::string_view word) {
  word = base::trim(word);
  return word == kEverybody || base::to_lower(word) == "all";
}

}  // namespace

base::Result<std::string> team_name(std::string_view text) { return name_of("the team's name", text); }

base::Result<std::string> member_name(std::string_view text) {
  if (means_everybody(text))
    return base::fail(base::Errc::invalid_argument,
                      "'" + std::string(base::trim(text)) + "' means everybody and is nobody's name");
  return name_of("a member's name", text);
}

base::Result<std::vector<std::string>> member_names(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const auto& word : words) {
    if (base::trim(word).empty()) continue;  // "a,,b"
    auto name = member_name(word);
    if (!name) return std::unexpected(name.error());
    if (std::ranges::find(names, *name) == names.end()) names.push_back(*std::move(name));
    if (names.size() > limits::kTeamMembersMax)
      return base::fail(base::Errc::invalid_argument, "more than " + std::to_string(limits::kTeamMembersMax) + " names");
  }
  if (names.empty()) return base::fail(base::Errc::invalid_argument, "at least one name is required");
  return names;
}

base::Result<std::vector<std::string>> recipients(const std::vector<std::string>& words) {
  if (std::ranges::any_of(words, means_everybody)) return std::vector{std::string(kEverybody)};
  return member_names(words);
}

base::Result<> check_mail(const TeamMail& mail) {
  const auto wrong = [](std::string why) { return base::fail(base::Errc::invalid_argument, std::move(why)); };
  if (base::trim(mail.content).empty()) return wrong("the message is empty");
  if (mail.content.size() > limits::kTeamMailBytesMax)
    return wrong("the message is " + std::to_string(mail.content.size()) + " bytes long, the limit is " +
                 std::to_string(limits::kTeamMailBytesMax) + "; write it to a file and say where it is");
  if (!base::valid_utf8(mail.content)) return wrong("the message is not valid UTF-8; convert it (iconv -t UTF-8) and try again");
  if (!mail.from_op.empty())
    if (const auto op = name_of("the operation's name", mail.from_op); !op) return std::unexpected(op.error());
  if (std::ranges::find(kKinds, mail.kind) == kKinds.end())
    return wrong("the kind of a message is message, done, finished or wakeup");
  if (mail.artifacts.empty()) return {};
  if (mail.artifacts.size() > limits::kTeamArtifactsBytesMax) return wrong("the list of artifacts is too long");
  const auto artifacts = base::parse_json(mail.artifacts);
  if (!artifacts || !artifacts->is_array()) return wrong("the artifacts are no JSON list");
  return {};
}

std::vector<std::string> outsiders(const std::vector<std::string>& names, const std::vector<std::string>& members) {
  std::vector<std::string> found;
  for (const auto& name : names)
    if (name != kEverybody && std::ranges::find(members, name) == members.end()) found.push_back(name);
  return found;
}

}  // namespace run
