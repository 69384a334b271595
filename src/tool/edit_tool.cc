// Edit: replaces a text that occurs once, or everywhere.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "base/limits.h"
#include "tool/file_content.h"
#include "tool/file_tool.h"

namespace tool {

namespace {

constexpr std::size_t kLinesNamedMax = 20;
constexpr std::size_t kOccurrencesMax = 1'000'000;

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "file_path": {"type": "string", "minLength": 1, "description": "The file, relative to the work directory (or absolute inside it)."},
    "old_string": {"type": "string", "minLength": 1, "description": "The text to replace, exactly as in the file, without line numbers."},
    "new_string": {"type": "string", "description": "What takes its place."},
    "replace_all": {"type": "boolean", "description": "Replace every occurrence. Default false: old_string must occur exactly once."}
  },
  "required": ["file_path", "old_string", "new_string"],
  "additionalProperties": false
})";

struct Change {
  std::string from;
  std::string to;
  bool crlf = false;  // line ends were adapted to the file's
};

std::vector<std::size_t> occurrences(std::string_view content, std::string_view text) {
  std::vector<std::size_t> found;
  for (auto at = content.find(text); at != std::string_view::npos; at = content.find(text, at + text.size())) {
    found.push_back(at);
    if (found.size() > kOccurrencesMax) break;  // refused by check()
  }
  return found;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

// Models rarely see that a file ends its lines in CRLF; where every line does, their LF means that.
bool all_crlf(std::string_view content) {
  const auto lf = std::count(content.begin(), content.end(), '\n');
  std::size_t crlf = 0;
  for (auto at = content.find("\r\n"); at != std::string_view::npos; at = content.find("\r\n", at + 2)) ++crlf;
  return lf > 0 && static_cast<std::size_t>(lf) == crlf;
}

std::string replaced(std::string_view content, const std::vector<std::size_t>& at, const Change& change) {
  std::string out;
  std::size_t from = 0;
  for (const auto position : at) {
    out += content.substr(from, position - from);
    out += change.to;
    from = position + change.from.size();
  }
  out += content.substr(from);
  return out;
}

// "line 4" or "lines 4, 9, 12".
std::string lines_of(std::string_view content, const std::vector<std::size_t>& at) {
  std::string text = at.size() == 1 ? "line " : "lines ";
  std::size_t line = 1;
  std::size_t from = 0;
  for (std::size_t i = 0; i < at.size() && i < kLinesNamedMax; ++i) {
    line += static_cast<std::size_t>(std::count(content.begin() + static_cast<std::ptrdiff_t>(from),
                                                content.begin() + static_cast<std::ptrdiff_t>(at[i]), '\n'));
    from = at[i];
    text += (i == 0 ? "" : ", ") + std::to_string(line);
  }
  return at.size() > kLinesNamedMax ? text + ", …" : text;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

class EditTool final : public FileTool {
 public:
  EditTool(aio::Offload& offload, Definition definition, std::shared_ptr<FileLocks> locks)
      : FileTool(offload, std::move(definition)), locks_(std::move(locks)) {}

 protected:
  base::Result<std::string> work(const boost::json::object& arguments, const FileSpace& space) const override {
    Change change{text_argument(arguments, "old_string"), text_argument(arguments, "new_string")};
    if (change.from == change.to)
      return base::fail(base::Errc::invalid_argument, "old_string and new_string are the same: nothing to do");
    const auto spot = space.find(text_argument(arguments, "file_path"));
    if (!spot) return std::unexpected(spot.error());
    auto place = spot->directory.place(spot->path, Parents::keep);
    if (!place) return std::unexpected(place.error());
    const auto name = spot->name();
    if (!place->exists) return base::fail(base::Errc::not_found, "'" + shown(name) + "' does not exist; Write creates files");

    const auto lock = locks_->lock(*place);
    const auto file = open_place(*place);
    if (!file) return std::unexpected(file.error());
    const auto content = read_whole(*file, name);
    if (!content) return std::unexpected(content.error());
    if (binary(*content))
      return base::fail(base::Errc::denied, "'" + shown(name) + "' is a binary file of " + size_text(content->size()));

    auto at = occurrences(*content, change.from);
    if (at.empty() && all_crlf(*content)) {
      change = {with_crlf(change.from), with_crlf(change.to), true};
      at = occurrences(*content, change.from);
    }
    if (auto allowed = check(*content, at, bool_argument(arguments, "replace_all", false), name); !allowed)
      return std::unexpected(allowed.error());
    const auto size = content->size() - at.size() * change.from.size() + at.size() * change.to.size();
    if (size > base::limits::kFileBytesMax)
      return base::fail(base::Errc::denied, "the result would be too big: " + size_text(size) + ", the limit is " +
                                                size_text(base::limits::kFileBytesMax));
    if (auto written = write(*place, replaced(*content, at, change)); !written) return std::unexpected(written.error());
    return "Edited '" + shown(place->path) + "': " + counted(at.size(), "replacement") + " (" + lines_of(*content, at) + ")" +
           (change.crlf ? ", line ends kept as CRLF." : ".");
  }

 private:
  static base::Result<> check(const std::string& content, const std::vector<std::size_t>& at, bool everywhere,
                              const std::string& path) {
    const auto name = "'" + shown(path) + "'";
    if (at.empty())
      return base::fail(base::Errc::not_found,
                        "old_string does not occur in " + name +
                            "; it must match exactly, with every space and line end and without line numbers");
    if (at.size() > kOccurrencesMax)
      return base::fail(base::Errc::ambiguous,
                        "old_string occurs more than " + std::to_string(kOccurrencesMax) + " times in " + name);
    if (at.size() > 1 && !everywhere)
      return base::fail(base::Errc::ambiguous, "old_string occurs " + std::to_string(at.size()) + " times in " + name + " (" +
                                                   lines_of(content, at) + "); give more of its surroundings, or replace_all");
    return {};
  }

  static base::Result<> write(const Place& place, const std::string& content) {
    struct stat now{};
    if (fstatat(place.directory.get(), place.name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 || !same_file(now, place.status))
      return base::fail(base::Errc::conflict, "'" + shown(place.path) + "' was changed by someone else meanwhile; read it again");
    return replace_file(place, content);
  }

  std::shared_ptr<FileLocks> locks_;
};

}  // namespace

std::unique_ptr<Tool> edit_tool(aio::Offload& offload, std::shared_ptr<FileLocks> locks) {
  Definition definition;
  definition.name = "Edit";
  definition.module = "filesystem";
  definition.action = "edit";
  definition.description =
      "Replaces a text in a file of the work directory. old_string must match the file exactly and occur once; give enough of "
      "its "
      "surroundings, or set replace_all to change every occurrence.";
  definition.schema = kSchema;
  definition.side_effect = SideEffect::at_most_once;  // a second time it would find its own result
  return std::make_unique<EditTool>(offload, std::move(definition), std::move(locks));
}

}  // namespace tool
