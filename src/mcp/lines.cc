#include "mcp/lines.h"

#include <utility>

namespace mcp {

std::optional<Lines::Line> Lines::next() {
  const auto end = buffer_.find('\n', searched_);
  if (end != std::string::npos) {
    auto text = std::string_view(buffer_).substr(begin_, end - begin_);
    if (text.ends_with('\r')) text.remove_suffix(1);
    Line line{.text = {}, .too_long = std::exchange(skipping_, false) || text.size() > bytes_max_};
    if (!line.too_long) line.text = text;
    begin_ = searched_ = end + 1;
    return line;
  }
  // Taken lines go in one piece, when none is left.
  buffer_.erase(0, std::exchange(begin_, 0));
  if (buffer_.size() > bytes_max_ + 1) {
    skipping_ = true;
    buffer_.clear();
  }
  searched_ = buffer_.size();
  return std::nullopt;
}

}  // namespace mcp
