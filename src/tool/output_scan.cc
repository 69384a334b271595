#include "tool/output_scan.h"

#include <fcntl.h>
#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "tool/command_output.h"

namespace tool {

namespace {

constexpr std::size_t kPieceBytes = 256 << 10;
constexpr std::size_t kOverlapBytes = 64 << 10;  // of a line without an end: a match across pieces may be so long

class Pattern {
 public:
  explicit Pattern(const std::string& text) : expression_(text, options()), text_(text) {}

  // Where it is found; npos: nowhere.
  std::size_t find(std::string_view in) const {
    if (!expression_.ok()) return in.find(text_);
    re2::StringPiece match;
    const re2::StringPiece whole(in.data(), in.size());
    if (!expression_.Match(whole, 0, in.size(), re2::RE2::UNANCHORED, &match, 1)) return std::string_view::npos;
    return static_cast<std::size_t>(match.data() - in.data());
  }

 private:
  static re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_posix_syntax(false);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // bytes: output may be anything
    return options;
  }
  const re2::RE2 expression_;
  const std::string text_;
};

// Where it is found; else `from` is moved to where the next look begins.
std::optional<std::uint64_t> scan_file(const std::string& path, const Pattern& pattern, std::uint64_t& from) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  std::string piece(kPieceBytes, '\0');
  std::optional<std::uint64_t> found;
  for (;;) {
    const auto got = pread(fd, piece.data(), piece.size(), static_cast<off_t>(from));
    if (got <= 0) break;
    const std::string_view text(piece.data(), static_cast<std::size_t>(got));
    if (const auto at = pattern.find(text); at != std::string_view::npos) {
      found = from + at;
      break;
    }
    // The last line may go on; it is looked at again with what follows.
    const auto end = text.rfind('\n');
    auto kept = end == std::string_view::npos ? text.size() : text.size() - end - 1;
    kept = std::min(kept, kOverlapBytes);
    if (text.size() - kept == 0) break;
    from += text.size() - kept;
    if (text.size() < piece.size()) break;
  }
  close(fd);
  return found;
}

constexpr std::size_t kLineShown = 400;

std::string line_around(std::string_view text, std::size_t at) {
  const auto begin = text.rfind('\n', at);
  const auto first = begin == std::string_view::npos ? 0 : begin + 1;
  const auto end = text.find('\n', at);
  return base::utf8_lossy(text.substr(first, std::min(kLineShown, (end == std::string_view::npos ? text.size() : end) - first)));
}

}  // namespace

std::optional<std::string> line_with(std::string_view text, const std::string& pattern) {
  const auto at = Pattern(pattern).find(text);
  return at == std::string_view::npos ? std::nullopt : std::optional(line_around(text, at));
}

Sighting scan_output(const std::string& out_path, const std::string& err_path, const std::string& pattern, ScanFrom from,
                     const Redactor& redactor) {
  const Pattern compiled(pattern);
  Sighting sighting{.found = false, .line = {}, .next = from};
  if (const auto in_out = scan_file(out_path, compiled, sighting.next.out)) {
    sighting.found = true;
    sighting.line = shown_line(out_path, *in_out, redactor);
  } else if (const auto in_err = scan_file(err_path, compiled, sighting.next.err)) {
    sighting.found = true;
    sighting.line = shown_line(err_path, *in_err, redactor);
  }
  return sighting;
}

}  // namespace tool
