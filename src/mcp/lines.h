#pragma once
// A stream of bytes as bounded lines. Pure.
#include <optional>
#include <string>
#include <string_view>

namespace mcp {

class Lines {
 public:
  explicit Lines(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void feed(std::string_view bytes) { buffer_ += bytes; }

  struct Line {
    std::string text;       // without its end, LF or CRLF
    bool too_long = false;  // it was longer than the bound, and is left out
  };
  // The next whole line. After feed() until there is none: then no more than the bound and what was fed last is kept.
  std::optional<Line> next();

 private:
  std::size_t bytes_max_;
  std::string buffer_;
  std::size_t begin_ = 0, searched_ = 0;
  bool skipping_ = false;  // in the middle of a line that is too long
};

}  // namespace mcp
