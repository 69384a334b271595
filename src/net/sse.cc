#include "net/sse.h"

#include "base/text.h"

namespace net {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::size_t find_line_end(std::string_view text) {
  // Two passes of memchr: far faster on long lines than one over both characters, and a CR is rare.
  const auto line_feed = text.find('\n');
  const auto carriage = text.substr(0, line_feed).find('\r');
  return carriage == text.npos ? line_feed : carriage;
}

}  // namespace

std::optional<SseEvent> SseParser::next() {
  if (overflowed_) return std::nullopt;  // what was begun may point into input that is gone
  if (dispatched_) {
    dispatched_ = has_data_ = false;
    name_.clear();
  }
  while (auto line = take_line()) {
    if (!line->empty()) {
      field(*line);
      if (overflowed_) return std::nullopt;
      continue;
    }
    if (has_data_) return dispatch();
    name_.clear();
  }
  keep();
  return std::nullopt;
}

std::optional<SseEvent> SseParser::last() {
  if (overflowed_ || dispatched_) return std::nullopt;
  whole_.swap(line_);
  line_.clear();
  joined_ = true;
  if (!whole_.empty()) field(without_mark(whole_));
  if (overflowed_ || !has_data_) return std::nullopt;
  return dispatch();
}

SseEvent SseParser::dispatch() {
  dispatched_ = true;
  return {.name = name_, .data = data_};
}

// The next whole line without its end; nothing when the input has none (its rest is then kept).
std::optional<std::string_view> SseParser::take_line() {
  if (overflowed_) return std::nullopt;
  if (skip_line_feed_ && !input_.empty()) {
    skip_line_feed_ = false;
    if (input_.front() == '\n') input_.remove_prefix(1);
  }
  const auto end = find_line_end(input_);
  const auto part = input_.substr(0, end);
  if (line_.size() + part.size() > bytes_max_) {
    overflowed_ = true;
    return std::nullopt;
  }
  if (end == input_.npos) {
    line_ += part;
    input_ = {};
    return std::nullopt;
  }
  skip_line_feed_ = input_[end] == '\r';
  input_.remove_prefix(end + 1);
  auto line = part;
  joined_ = !line_.empty();
  if (joined_) {
    line_ += part;
    whole_.swap(line_);
    line_.clear();
    line = whole_;
  }
  return without_mark(line);
}

std::string_view SseParser::without_mark(std::string_view line) {
  if (first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  first_line_ = false;
  return line;
}

void SseParser::field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == 0) return;  // a comment
  const auto name = line.substr(0, colon);
  auto value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") add_data(value);
  if (name == "event") name_ = value;
  if (name == "id" && value.size() <= base::limits::kSseIdBytesMax && value.find('\0') == value.npos) id_ = value;
  if (name == "retry" && value.find_first_not_of("0123456789") == value.npos)
    if (const auto ms = base::parse_int(value)) retry_ms_ = *ms;
}

void SseParser::add_data(std::string_view value) {
  if (!has_data_) {
    has_data_ = true;
    data_ = value;
    data_kept_ = false;
    if (joined_) keep();  // it lies in whole_, which the next joined line overwrites
    return;
  }
  if (data_.size() + 1 + value.size() > bytes_max_) {
    overflowed_ = true;
    return;
  }
  keep();
  kept_ += '\n';
  kept_ += value;
  data_ = kept_;
}

// From here on the data of the unfinished event does not depend on the input.
void SseParser::keep() {
  if (!has_data_ || data_kept_) return;
  kept_.assign(data_);
  data_ = kept_;
  data_kept_ = true;
}

}  // namespace net
