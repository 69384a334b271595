#include "tool/command_output.h"

#include <algorithm>

#include "base/text.h"
#include "process/child_directory.h"
#include "tool/bounds.h"
#include "tool/terminal_text.h"

namespace tool {

namespace {

constexpr std::size_t kLineShown = 400;

// The front of `bytes + beyond` that comes from `bytes`. What is drawn over later on is not taken for the front.
std::string front(const std::string& bytes, const std::string& beyond, const Redactor& redactor) {
  const auto alone = plain_text(bytes), text = plain_text(bytes + beyond);
  const auto common = std::ranges::mismatch(alone, text).in1 - alone.begin();
  return redacted_piece(text, redactor.find(text), 0, static_cast<std::size_t>(common));
}

std::string back(const std::string& before, const std::string& bytes, const Redactor& redactor) {
  const auto alone = plain_text(bytes), text = plain_text(before + bytes);
  const auto common = std::mismatch(alone.rbegin(), alone.rend(), text.rbegin(), text.rend()).first - alone.rbegin();
  return redacted_piece(text, redactor.find(text), text.size() - static_cast<std::size_t>(common), text.size());
}

std::size_t lines_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n')) + (!text.empty() && text.back() != '\n');
}

// Where the line with this number begins, or the end.
std::size_t line_begin(std::string_view text, std::size_t number) {
  std::size_t at = 0;
  for (; number > 0 && at < text.size(); --number) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  return at;
}

struct Ends {
  std::string head, tail;
  std::uint64_t omitted_lines = 0, omitted_bytes = 0;

  void omit(std::string_view text) {
    omitted_lines += lines_of(text);
    omitted_bytes += text.size();
  }
};

// Of so many lines a quarter at the front: errors stand at the end.
void keep_lines(Ends& ends, std::size_t lines) {
  const auto all = lines_of(ends.head) + lines_of(ends.tail);
  if (all <= lines) return;
  if (!ends.omitted_bytes) {
    ends.tail = ends.head.substr(line_begin(ends.head, lines / 4));
    ends.head.resize(ends.head.size() - ends.tail.size());
  }
  const auto in_head = std::min(lines_of(ends.head), std::max(lines / 4, lines - std::min(lines, lines_of(ends.tail))));
  const auto head_end = line_begin(ends.head, in_head);
  ends.omit(std::string_view(ends.head).substr(head_end));
  ends.head.resize(head_end);
  const auto in_tail = lines - in_head;
  const auto tail_lines = lines_of(ends.tail);
  const auto tail_begin = line_begin(ends.tail, tail_lines > in_tail ? tail_lines - in_tail : 0);
  ends.omit(std::string_view(ends.tail).substr(0, tail_begin));
  ends.tail.erase(0, tail_begin);
}

}  // namespace

std::string shown_output(const std::string& path, const OutputBounds& bounds, const Redactor& redactor) {
  const auto read = process::read_excerpt(path, bounds.head_bytes, bounds.tail_bytes, bounds::kSecretBytesMax);
  Ends ends{.head = front(read.head, read.beyond_head, redactor),
            .tail = back(read.before_tail, read.tail, redactor),
            .omitted_lines = read.omitted_lines,
            .omitted_bytes = read.omitted_bytes};
  keep_lines(ends, std::max<std::size_t>(bounds.lines, 1));
  if (!ends.omitted_bytes) return ends.head;
  return ends.head + "[… " + std::to_string(ends.omitted_lines) + " lines, " + std::to_string(ends.omitted_bytes) + " of " +
         std::to_string(read.bytes) + " bytes left out; all of it is in " + path + " …]\n" + ends.tail;
}

ShownTail shown_tail(const std::string& path, std::size_t lines, std::size_t bytes, const Redactor& redactor) {
  const auto tail = process::read_tail(path, lines, bytes, bounds::kSecretBytesMax);
  return {back(tail.before, tail.text, redactor), tail.lines};
}

std::string shown_line(const std::string& path, std::uint64_t at, const Redactor& redactor) {
  std::uint64_t begins = 0;
  const auto bytes = process::read_around(path, at, bounds::kSecretBytesMax, begins);
  if (at - begins >= bytes.size()) return {};
  const auto place = at - begins;
  const auto newline = place ? bytes.rfind('\n', place - 1) : std::string::npos;
  // Of an endless line the piece around it: at the edge of what was read a secret may be cut in two.
  const auto line = newline != std::string::npos ? newline + 1 : begins ? place - kLineShown / 2 : 0;
  const auto text = plain_text(bytes);
  const auto from = std::min(plain_text(std::string_view(bytes).substr(0, line)).size(), text.size());
  const auto to = std::min(text.find('\n', from), text.size());
  return std::string(base::utf8_prefix(redacted_piece(text, redactor.find(text), from, to), kLineShown));
}

}  // namespace tool
