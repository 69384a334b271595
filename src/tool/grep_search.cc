#include "tool/grep_search.h"

#include <re2/re2.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "base/limits.h"
#include "base/text.h"
#include "tool/bounds.h"

namespace tool {

namespace {

// Room for the notices within kToolResultBytesMax.
constexpr std::size_t kNoticeBytes = 2'000;

// The lines of a text one after another, without newline and without the '\r' before it.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  bool next(std::string_view& line) {
    if (at_ >= text_.size()) return false;
    const auto end = text_.find('\n', at_);
    line = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return true;
  }
  std::int64_t number() const { return number_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t number_ = 0;
};

// Where in the line the expression matches first, if it does.
std::optional<std::size_t> find(const re2::RE2& regex, std::string_view line) {
  re2::StringPiece match;
  const re2::StringPiece text(line.data(), line.size());
  if (!regex.Match(text, 0, line.size(), re2::RE2::UNANCHORED, &match, 1)) return std::nullopt;
  return match.data() ? static_cast<std::size_t>(match.data() - line.data()) : 0;
}

}  // namespace

base::Result<std::unique_ptr<re2::RE2>> GrepSearch::compile(const std::string& pattern, bool case_insensitive) {
  if (pattern.size() > bounds::kRegexBytesMax)
    return base::fail(base::Errc::invalid_argument, "the pattern is too long: " + std::to_string(pattern.size()) +
                                                        " bytes, the limit is " + std::to_string(bounds::kRegexBytesMax));
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_case_sensitive(!case_insensitive);
  auto regex = std::make_unique<re2::RE2>(pattern, options);
  if (!regex->ok())
    return base::fail(base::Errc::invalid_argument,
                      "the pattern is not a regular expression that RE2 understands: " + base::utf8_lossy(regex->error()) +
                          " (escape special characters with a backslash; no look-around, no back-references)");
  return regex;
}

GrepSearch::GrepSearch(const re2::RE2& regex, const GrepOptions& options) : regex_(regex), options_(options) {}

bool GrepSearch::show(const std::string& text) {
  if (full_ || out_.size() + text.size() > base::limits::kToolResultBytesMax - kNoticeBytes) {
    full_ = true;
    return false;
  }
  out_ += text;
  return true;
}

std::string GrepSearch::line_text(const std::string& path, std::int64_t number, char separator, std::string_view line,
                                  std::size_t match) const {
  std::string text = path + separator;
  if (options_.line_numbers) text += std::to_string(number) + separator;
  if (line.size() <= bounds::kGrepLineBytesMax) return text + base::utf8_lossy(line) + "\n";
  // A window of the long line that holds the beginning of the match.
  const std::size_t from = match < bounds::kGrepLineBytesMax / 2 ? 0 : match - bounds::kGrepLineBytesMax / 4;
  const auto rest = base::utf8_suffix(line, line.size() - from);
  const auto window = base::utf8_prefix(rest, bounds::kGrepLineBytesMax);
  return text + (from > 0 ? "…" : "") + base::utf8_lossy(window) + "… [line cut, " + std::to_string(line.size()) + " bytes]\n";
}

void GrepSearch::file(const std::string& path, std::string_view text) {
  if (options_.mode == GrepMode::content) return content(path, text);
  std::size_t matched = 0;
  std::string_view line;
  for (Lines lines(text); lines.next(line);) {
    if (!find(regex_, line)) continue;
    ++matched;
    if (options_.mode == GrepMode::files_with_matches) break;
  }
  if (matched == 0) return;
  ++files_matched_;
  lines_matched_ += matched;
  if (shown_ >= options_.shown_max) return;
  const auto tail = options_.mode == GrepMode::count ? ":" + std::to_string(matched) : std::string();
  shown_ += show(path + tail + "\n");
}

void GrepSearch::content(const std::string& path, std::string_view text) {
  struct Line {
    std::int64_t number;
    std::string_view text;
  };
  std::deque<Line> before;
  std::int64_t after_until = 0;  // context lines are shown up to this number
  std::int64_t last_shown = 0;
  bool any = false;
  std::string_view line;
  for (Lines lines(text); lines.next(line);) {
    const auto number = lines.number();
    const auto match = find(regex_, line);
    if (match) {
      ++lines_matched_;
      any = true;
      if (shown_ >= options_.shown_max || full_) continue;
      const bool context = options_.before > 0 || options_.after > 0;
      const auto first = before.empty() ? number : before.front().number;
      if (context && !out_.empty() && (last_shown == 0 || first > last_shown + 1)) show("--\n");
      for (const auto& earlier : before) show(line_text(path, earlier.number, '-', earlier.text, 0));
      before.clear();
      if (!show(line_text(path, number, ':', line, *match))) continue;
      ++shown_;
      last_shown = number;
      after_until = number + options_.after;
    } else if (number <= after_until) {
      if (show(line_text(path, number, '-', line, 0))) last_shown = number;
    } else if (options_.before > 0) {
      before.push_back({number, line});
      if (static_cast<std::int64_t>(before.size()) > options_.before) before.pop_front();
    }
  }
  files_matched_ += any;
}

}  // namespace tool
