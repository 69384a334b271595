#include "cli/task_words.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "base/text.h"
#include "cli/due_date.h"
#include "harness/harness.h"
#include "run/flow_notify.h"

namespace cli {

namespace {

constexpr std::string_view kNoName = "task";
constexpr std::array<std::string_view, 3> kPriorities = {"high", "medium", "low"};

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string cut_slug(std::string slug, std::size_t bytes) {
  if (slug.size() > bytes) slug.resize(bytes);
  while (slug.ends_with('-')) slug.pop_back();
  return slug;
}

}  // namespace

bool is_slug(std::string_view word) {
  return !word.empty() && word.size() <= kSlugBytesMax && is_plain(word.front()) &&
         std::ranges::all_of(word, [](char c) { return is_plain(c) || c == '-'; });
}

std::string slug_of(std::string_view name) {
  std::string slug;
  for (const char c : base::to_lower(name)) {
    if (is_plain(c))
      slug += c;
    else if (!slug.empty() && slug.back() != '-')
      slug += '-';
  }
  slug = cut_slug(std::move(slug), kSlugBytesMax);
  return slug.empty() ? std::string(kNoName) : slug;
}

std::string numbered_slug(const std::string& slug, int count) {
  if (count <= 1) return slug;
  const auto end = "-" + std::to_string(count);
  return cut_slug(slug, kSlugBytesMax - end.size()) + end;
}

Checked<std::string> task_text(std::string_view text, std::string_view what) {
  const auto trimmed = base::trim(text);
  const auto wrong = [what](std::string_view why) { return refuse(kUsage, "the " + std::string(what) + " " + std::string(why)); };
  if (trimmed.size() > base::limits::kNameBytesMax)
    return wrong("is longer than " + std::to_string(base::limits::kNameBytesMax) +
                 " bytes; the brief is the place for long text");
  if (!base::valid_utf8(trimmed)) return wrong("is not valid UTF-8");
  if (harmless(trimmed) != trimmed || trimmed.find_first_of("\n\t") != std::string_view::npos)
    return wrong("holds control characters; write it in one line");
  return std::string(trimmed);
}

Checked<std::string> task_priority(std::string_view word) {
  const auto lower = base::to_lower(word);
  if (std::ranges::find(kPriorities, lower) != kPriorities.end()) return lower;
  return refuse(kUsage, "--priority " + std::string(word) + ": write high, medium or low");
}

Checked<std::vector<std::string>> task_tags(const std::vector<std::string>& words) {
  std::vector<std::string> tags;
  for (const auto& word : words) {
    auto tag = task_text(word, "tag");
    if (!tag) return std::unexpected(tag.error());
    if (tag->empty() || tag->find(',') != std::string::npos)
      return refuse(kUsage, "--tag '" + *tag + "': a tag is not empty and has no comma; repeat --tag for several");
    if (std::ranges::find(tags, *tag) == tags.end()) tags.push_back(*std::move(tag));
  }
  return tags;
}

Checked<std::string> task_due(std::string_view word, std::int64_t now_ms) {
  const auto trimmed = base::trim(word);
  if (trimmed.empty() || base::to_lower(trimmed) == "none") return std::string();
  const auto day = coming_day(trimmed, local_day(now_ms));
  if (!day) return refuse(kUsage, "--due " + std::string(word) + ": write " + std::string(kDueWords));
  return day_text(*day);
}

Checked<std::string> task_command(std::string_view command, std::string_view flag) {
  const auto trimmed = base::trim(command);
  if (trimmed.empty()) return std::string();
  if (const auto good = run::check_notify(trimmed); !good) return refuse(kUsage, std::string(flag) + ": " + good.error().message);
  return std::string(trimmed);
}

Checked<std::string> task_harness(std::string_view word) {
  if (word.empty() || harness::find(word)) return std::string(word);
  return refuse(kUsage, "no harness is named '" + std::string(word) + "'; known are " + harness::known_names());
}

}  // namespace cli
