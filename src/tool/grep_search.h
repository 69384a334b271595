#pragma once
// Searches the text of one file for a regular expression and writes what Grep shows of it.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace tool {

enum class GrepMode { content, files_with_matches, count };

struct GrepOptions {
  GrepMode mode = GrepMode::files_with_matches;
  std::int64_t before = 0;
  std::int64_t after = 0;
  bool line_numbers = true;
  std::size_t shown_max = 0;  // matching lines (content) or files
};

class GrepSearch {
 public:
  static base::Result<std::unique_ptr<re2::RE2>> compile(const std::string& pattern, bool case_insensitive);

  GrepSearch(const re2::RE2& regex, const GrepOptions& options);

  // One file's text; `path` stands in the output.
  void file(const std::string& path, std::string_view content);

  const std::string& output() const { return out_; }
  std::size_t lines_matched() const { return lines_matched_; }
  std::size_t files_matched() const { return files_matched_; }
  std::size_t shown() const { return shown_; }  // matching lines in mode content, else files

 private:
  void content(const std::string& path, std::string_view text);
  bool show(const std::string& text);
  std::string line_text(const std::string& path, std::int64_t number, char separator, std::string_view line,
                        std::size_t match) const;

  const re2::RE2& regex_;
  GrepOptions options_;
  std::string out_;
  std::size_t lines_matched_ = 0;
  std::size_t files_matched_ = 0;
  std::size_t shown_ = 0;
  bool full_ = false;  // kToolResultBytesMax is reached; counting goes on
};

}  // namespace tool
