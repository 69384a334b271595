#include "harness/versions.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace harness {

namespace {

struct Tried {
  std::string_view harness, version;
};
constexpr Tried kTried[] = {{"claude", "2.1.329"}, {"codex", "0.169.0"}, {"gemini", "0.61.0"}, {"opencode", "1.18.33"}};

// Versions from `from` up to, without, `before` ("": all later ones).
struct Difference {
  std::string_view harness, from, before, text;
};
constexpr Difference kDifferences[] = {
    {"claude", "0", "2.1.139", "it has no background agents: OUTLAST_TERM=bg does not work with it"},
    {"claude", "2.1.139", "2.1.198", "`--bg --resume` makes a new session id; Outlast records the one it is given"},
    {"claude", "2.1.198", "", "a background agent may commit, push and open a draft pull request by itself (worktree.bgIsolation: \"none\" turns that off)"},
};

constexpr std::string_view kDigits = "0123456789";

std::array<std::int64_t, 4> numbers_of(std::string_view version) {
  std::array<std::int64_t, 4> numbers{};
  for (auto& number : numbers) {
    const auto at = version.find_first_of(kDigits);
    if (at == version.npos) break;
    version.remove_prefix(at);
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
    version.remove_prefix(static_cast<std::size_t>(end - version.data()));
  }
  return numbers;
}

}  // namespace

std::string version_in(std::string_view text) {
  const auto at = text.find_first_of(kDigits);
  if (at == text.npos) return {};
  const auto end = text.find_first_not_of("0123456789.", at);
  auto version = text.substr(at, end == text.npos ? text.npos : end - at);
  while (version.ends_with('.')) version.remove_suffix(1);
  return std::string(version);
}

bool is_before(std::string_view version, std::string_view other) { return numbers_of(version) < numbers_of(other); }

std::string_view tried_version(std::string_view harness) {
  const auto found = std::ranges::find(kTried, harness, &Tried::harness);
  return found == std::end(kTried) ? std::string_view() : found->version;
}

std::vector<std::string> known_differences(std::string_view harness, std::string_view version) {
  std::vector<std::string> texts;
  for (const auto& one : kDifferences)
    if (one.harness == harness && !is_before(version, one.from) && (one.before.empty() || is_before(version, one.before))) texts.emplace_back(one.text);
  return texts;
}

}  // namespace harness
