#include "app/problems.h"

#include <cstdio>

#include "base/text.h"

namespace app {

namespace {

std::string name(Code code) {
  char text[32];
  std::snprintf(text, sizeof text, "DGT-E%04d", static_cast<int>(code));
  return text;
}

}  // namespace

std::string Problems::place(Mark mark) const {
  std::string text = file_name_;
  if (mark.line > 0) text += ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
  return text;
}

void Problems::add(std::string_view path, std::string_view message, Mark mark, Code code) {
  if (problems_.size() == kProblemsMax) {
    ++left_out_;
    return;
  }
  problems_.push_back((path.empty() ? "" : shown(path) + ": ") + std::string(message) + " (" + place(mark) + ", " + name(code) +
                      ")");
}

void Problems::warn(std::string_view path, std::string_view message, Mark mark) {
  if (warnings_.size() < kProblemsMax)
    warnings_.push_back((path.empty() ? "" : shown(path) + ": ") + std::string(message) + " (" + place(mark) + ")");
}

base::Error Problems::error() const {
  ASSERT(!problems_.empty());
  std::string text;
  for (const auto& problem : problems_) text += (text.empty() ? "" : "\n") + problem;
  if (left_out_ > 0) text += "\n... and " + std::to_string(left_out_) + " more problems";
  return {base::Errc::invalid_argument, std::move(text)};
}

std::string child(std::string_view path, std::string_view key) {
  // A key of a hundred kilobytes, nested, would make paths of megabytes.
  const auto bounded = base::utf8_prefix(key, 128);
  return path.empty() ? std::string(bounded) : std::string(path) + "." + std::string(bounded);
}

std::string child(std::string_view path, std::size_t index) { return std::string(path) + "[" + std::to_string(index) + "]"; }

std::string shown(std::string_view text) {
  constexpr std::size_t kBytesMax = 256;
  auto out = base::utf8_lossy(base::utf8_prefix(text, kBytesMax));
  if (text.size() > kBytesMax) out += "…";
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() < 3) return {};  // everything is near to so little
  const auto meant = base::nearest(base::utf8_prefix(word, 64), candidates);
  return meant ? ", did you mean '" + std::string(*meant) + "'?" : "";
}

}  // namespace app
