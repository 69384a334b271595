#include "app/problems.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "base/text.h"

namespace app {

std::string name(Code code) {
  char text[32];
  std::snprintf(text, sizeof text, "DGT-E%04d", static_cast<int>(code));
  return text;
}

std::string to_text(const Problem& problem, std::string_view file_name) {
  auto text = problem.path.empty() ? "" : problem.path + ": ";
  text += problem.message + " (" + std::string(file_name);
  if (problem.mark.line > 0) text += ":" + std::to_string(problem.mark.line) + ":" + std::to_string(problem.mark.column);
  if (problem.code) text += ", " + name(*problem.code);
  return text + ")";
}

void Problems::add(std::string_view path, std::string_view message, Mark mark, Code code) {
  if (full()) {
    ++left_out_;
    return;
  }
  problems_.push_back({shown(path), std::string(message), mark, code});
}

void Problems::warn(std::string_view path, std::string_view message, Mark mark, std::optional<Code> code) {
  if (warnings_.size() < kProblemsMax) warnings_.push_back({shown(path), std::string(message), mark, code});
}

std::vector<std::string> Problems::warning_texts() const {
  std::vector<std::string> texts;
  for (const auto& warning : warnings_) texts.push_back(to_text(warning, file_name_));
  return texts;
}

base::Error Problems::error() const {
  ASSERT(!problems_.empty());
  std::string text;
  for (const auto& problem : problems_) text += (text.empty() ? "" : "\n") + to_text(problem, file_name_);
  if (left_out_ > 0) text += "\n... and " + std::to_string(left_out_) + " more problems";
  return {base::Errc::invalid_argument, std::move(text)};
}

void sort_by_position(std::vector<Problem>& problems) {
  std::ranges::sort(problems, {}, [](const Problem& p) { return std::tie(p.mark.line, p.mark.column, p.path, p.message); });
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
