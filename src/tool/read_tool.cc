// Read: a text file with line numbers, as `cat -n` shows it.
#include <sys/stat.h>

#include <cstdio>
#include <optional>

#include "base/limits.h"
#include "base/text.h"
#include "tool/bounds.h"
#include "tool/file_content.h"
#include "tool/file_tool.h"

namespace tool {

namespace {

// Room for the closing notice within kToolResultBytesMax.
constexpr std::size_t kNoticeBytes = 512;

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "file_path": {"type": "string", "minLength": 1, "description": "The file, relative to the work directory (or absolute inside it)."},
    "offset": {"type": "integer", "minimum": 0, "description": "First line to show, counted from 1. Default 1."},
    "limit": {"type": "integer", "minimum": 1, "description": "How many lines to show. Default 2000."}
  },
  "required": ["file_path"],
  "additionalProperties": false
})";

// Takes a file's lines one after another and keeps the wanted ones.
class Page {
 public:
  Page(std::int64_t first, std::int64_t limit) : first_(first), limit_(limit) {}

  // A line without its newline; `bytes` is its true length where `line` was cut before.
  void take(std::string_view line, std::size_t bytes) {
    ++lines_;
    if (lines_ < first_ || full_) return;
    std::string text = numbered(lines_) + base::utf8_lossy(base::utf8_prefix(line, bounds::kReadLineBytesMax));
    if (bytes > bounds::kReadLineBytesMax) text += "… [line cut, " + std::to_string(bytes) + " bytes]";
    text += '\n';
    if (lines_ - first_ >= limit_ || out_.size() + text.size() > base::limits::kToolResultBytesMax - kNoticeBytes) {
      full_ = true;
      return;
    }
    out_ += text;
    shown_to_ = lines_;
  }

  bool full() const { return full_; }
  std::int64_t lines() const { return lines_; }
  std::int64_t shown_to() const { return shown_to_; }
  const std::string& text() const { return out_; }

 private:
  static std::string numbered(std::int64_t line) {
    char text[32];
    std::snprintf(text, sizeof text, "%6lld\t", static_cast<long long>(line));
    return text;
  }

  std::int64_t first_;
  std::int64_t limit_;
  std::int64_t lines_ = 0;
  std::int64_t shown_to_ = 0;
  bool full_ = false;
  std::string out_;
};

// Feeds the file's lines to the page without holding more than a block and the beginning of one line.
class LineFeed {
 public:
  explicit LineFeed(Page& page) : page_(page) {}

  void block(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto part = bytes.substr(0, end);
      open_ = true;
      length_ += part.size();
      // One byte more than is shown, so that the cut is noticed, and a whole code point at its edge.
      if (line_.size() < bounds::kReadLineBytesMax + 4) line_ += part.substr(0, bounds::kReadLineBytesMax + 4 - line_.size());
      if (end == std::string_view::npos) return;
      close();
      bytes.remove_prefix(end + 1);
    }
  }

  // The last line needs no newline.
  void end() {
    if (open_) close();
  }

 private:
  void close() {
    page_.take(line_, length_);
    line_.clear();
    length_ = 0;
    open_ = false;
  }

  Page& page_;
  std::string line_;
  std::size_t length_ = 0;
  bool open_ = false;
};

class ReadTool final : public FileTool {
 public:
  using FileTool::FileTool;

 protected:
  base::Result<std::string> work(const boost::json::object& arguments, const FileSpace& space) const override {
    const auto spot = space.find(text_argument(arguments, "file_path"));
    if (!spot) return std::unexpected(spot.error());
    const auto file = spot->directory.open_file(spot->path);
    if (!file) return std::unexpected(file.error());
    const auto name = spot->name();

    const bool part = arguments.contains("offset") || arguments.contains("limit");
    struct stat status{};
    fstat(file->get(), &status);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (!part && size > base::limits::kFileBytesMax)
      return base::fail(base::Errc::denied, "'" + shown(name) + "' is too big to read whole: " + size_text(size) +
                                                ", the limit is " + size_text(base::limits::kFileBytesMax) +
                                                "; give offset and limit");
    const auto first = std::max<std::int64_t>(1, int_argument(arguments, "offset", 1));
    Page page(first, int_argument(arguments, "limit", bounds::kReadLinesDefault));
    const auto whole = scan(*file, name, size, page);
    if (!whole) return std::unexpected(whole.error());
    return report(name, page, first, *whole);
  }

 private:
  // Says whether the end of the file was reached. Small files are counted to the end, so that the notice can name the total.
  static base::Result<bool> scan(const Fd& file, const std::string& path, std::size_t size, Page& page) {
    LineFeed feed(page);
    std::string block;
    for (std::size_t scanned = 0;;) {
      block.clear();
      const auto n = read_block(file, block, path);
      if (!n) return std::unexpected(n.error());
      if (*n == 0) break;
      if (binary(block))
        return base::fail(base::Errc::denied,
                          "'" + shown(path) + "' is a binary file of " + size_text(std::max(size, block.size())));
      feed.block(block);
      scanned += *n;
      if (page.full() && scanned > base::limits::kFileBytesMax) return false;
      if (scanned > bounds::kReadScanBytesMax) return false;
    }
    feed.end();
    return true;
  }

  static base::Result<std::string> report(const std::string& path, const Page& page, std::int64_t first, bool whole) {
    const auto name = "'" + shown(path) + "'";
    const auto total = std::to_string(page.lines());
    if (page.lines() == 0 && whole) return "[" + name + " is empty]";
    if (page.shown_to() == 0) {
      if (whole)
        return base::fail(base::Errc::invalid_argument,
                          "offset " + std::to_string(first) + " is past the end: " + name + " has " + total + " lines");
      return base::fail(base::Errc::denied, "line " + std::to_string(first) + " of " + name + " lies beyond the first " +
                                                size_text(bounds::kReadScanBytesMax) + ", which is as far as Read goes");
    }
    std::string text = page.text();
    if (page.shown_to() < page.lines() || !whole)
      text += "[lines " + std::to_string(first) + "-" + std::to_string(page.shown_to()) + " of " +
              (whole ? total : "more than " + total) + "; go on with offset " + std::to_string(page.shown_to() + 1) + "]";
    return text;
  }
};

}  // namespace

std::unique_ptr<Tool> read_tool(aio::Offload& offload) {
  Definition definition;
  definition.name = "Read";
  definition.module = "filesystem";
  definition.action = "read";
  definition.description =
      "Reads a text file of the work directory and shows its lines with their numbers (number, tab, line). Shows 2000 lines "
      "unless "
      "limit says otherwise; long files are read in parts with offset and limit. Binary files and directories are refused.";
  definition.schema = kSchema;
  definition.side_effect = SideEffect::idempotent;
  return std::make_unique<ReadTool>(offload, std::move(definition));
}

}  // namespace tool
