#include "tool/glob_pattern.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "tool/bounds.h"

namespace tool {

namespace {

constexpr std::string_view kSpecial = "*?[]{}\\";

base::Error wrong(std::string_view pattern, std::string_view what) {
  return {base::Errc::invalid_argument,
          "pattern '" + base::utf8_lossy(base::utf8_prefix(pattern, 200)) + "': " + std::string(what)};
}

// One pass over the pattern. RE2 works on code points here, so `?` and classes mean characters, not bytes.
class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  base::Result<std::string> run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '*') {
        star();
      } else if (c == '[') {
        if (!character_class()) return std::unexpected(wrong(pattern_, "a '[' is not closed"));
      } else if (c == '\\' && at_ + 1 == pattern_.size()) {
        return std::unexpected(wrong(pattern_, "it ends in a backslash"));
      } else {
        simple(c);
      }
      if (braces_ > bounds::kGlobBracesDepthMax) return std::unexpected(wrong(pattern_, "too many nested braces"));
    }
    if (braces_ != 0) return std::unexpected(wrong(pattern_, "a '{' is not closed"));
    return std::move(out_);
  }

 private:
  void simple(char c) {
    ++at_;
    if (c == '?') {
      out_ += "[^/]";
    } else if (c == '{') {
      out_ += "(?:";
      ++braces_;
    } else if (c == '}' && braces_ > 0) {
      out_ += ")";
      --braces_;
    } else if (c == ',' && braces_ > 0) {
      out_ += "|";
    } else {
      literal(c == '\\' ? pattern_[at_++] : c);
    }
  }

  void literal(char c) {
    const auto byte = static_cast<unsigned char>(c);
    const bool word = byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!word) out_ += '\\';
    out_ += c;
  }

  bool component_starts() const {
    return at_ == 0 || pattern_[at_ - 1] == '/' || pattern_[at_ - 1] == '{' || (pattern_[at_ - 1] == ',' && braces_ > 0);
  }

  void star() {
    const bool starts = component_starts();
    std::size_t stars = 0;
    while (at_ < pattern_.size() && pattern_[at_] == '*') ++at_, ++stars;
    if (stars == 1) {
      out_ += "[^/]*";
    } else if (starts && at_ < pattern_.size() && pattern_[at_] == '/') {
      ++at_;
      out_ += "(?:[^/]+/)*";
    } else {
      out_ += ".*";
    }
  }

  bool character_class() {
    std::size_t end = at_ + 1;
    if (end < pattern_.size() && (pattern_[end] == '!' || pattern_[end] == '^')) ++end;
    if (end < pattern_.size() && pattern_[end] == ']') ++end;  // a ']' in first place is itself
    while (end < pattern_.size() && pattern_[end] != ']') ++end;
    if (end >= pattern_.size()) return false;
    auto body = pattern_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    const bool negated = !body.empty() && (body.front() == '!' || body.front() == '^');
    if (negated) body.remove_prefix(1);
    out_ += negated ? "[^/" : "[";
    for (const char c : body) {
      if (c == '\\' || c == '[' || c == ']' || c == '^' || c == '&' || c == '~') out_ += '\\';
      out_ += c;
    }
    out_ += "]";
    return true;
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  int braces_ = 0;
  std::string out_;
};

}  // namespace

std::string_view literal_directories(std::string_view pattern) {
  const auto literal = pattern.substr(0, pattern.find_first_of(kSpecial));
  const auto slash = literal.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : literal.substr(0, slash);
}

GlobPattern::GlobPattern() = default;
GlobPattern::GlobPattern(GlobPattern&&) noexcept = default;
GlobPattern& GlobPattern::operator=(GlobPattern&&) noexcept = default;
GlobPattern::~GlobPattern() = default;

base::Result<GlobPattern> GlobPattern::compile(std::string_view pattern, Anchor anchor) {
  if (pattern.empty()) return base::fail(base::Errc::invalid_argument, "the pattern is empty");
  if (pattern.size() > bounds::kGlobPatternBytesMax) return std::unexpected(wrong(pattern, "it is too long"));
  while (pattern.starts_with("./")) pattern.remove_prefix(2);
  GlobPattern glob;
  glob.directories_ = pattern.ends_with('/');
  if (glob.directories_) pattern.remove_suffix(1);
  const bool anywhere = anchor == Anchor::basename && pattern.find('/') == std::string_view::npos;
  auto regex = Translator(pattern).run();
  if (!regex) return std::unexpected(regex.error());
  // (?s): a file name may hold a newline.
  *regex = std::string("(?s)") + (anywhere ? "(?:.*/)?" : "") + "(?:" + *regex + ")";
  re2::RE2::Options options(re2::RE2::Quiet);
  glob.regex_ = std::make_unique<re2::RE2>(*regex, options);
  if (!glob.regex_->ok()) return std::unexpected(wrong(pattern, glob.regex_->error()));
  if (!anywhere) glob.literal_directory_ = literal_directories(pattern);
  if (!anywhere && pattern.find("**") == std::string_view::npos)
    glob.components_max_ = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '/')) + 1;
  return glob;
}

bool GlobPattern::matches(std::string_view path) const {
  return re2::RE2::FullMatch(re2::StringPiece(path.data(), path.size()), *regex_);
}

}  // namespace tool
