// Grep: lines or files that match a regular expression.
#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "base/limits.h"
#include "base/text.h"
#include "tool/bounds.h"
#include "tool/file_content.h"
#include "tool/file_tool.h"
#include "tool/glob_pattern.h"
#include "tool/grep_search.h"
#include "tool/walk.h"

namespace tool {

namespace {

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "pattern": {"type": "string", "minLength": 1, "description": "A regular expression (RE2 syntax), matched line by line."},
    "path": {"type": "string", "minLength": 1, "description": "The file or directory to search. Default: the work directory."},
    "glob": {"type": "string", "minLength": 1, "description": "Only files that match this pattern, e.g. *.py or src/**/*.{h,cc}."},
    "output_mode": {"type": "string", "enum": ["content", "files_with_matches", "count"], "description": "Default files_with_matches."},
    "case_insensitive": {"type": "boolean", "description": "Default false."},
    "line_numbers": {"type": "boolean", "description": "In mode content. Default true."},
    "context": {"type": "integer", "minimum": 0, "maximum": 50, "description": "Lines to show before and after each match, in mode content."},
    "before": {"type": "integer", "minimum": 0, "maximum": 50, "description": "Lines to show before each match."},
    "after": {"type": "integer", "minimum": 0, "maximum": 50, "description": "Lines to show after each match."},
    "head_limit": {"type": "integer", "minimum": 1, "description": "Show at most so many lines or files (never more than 1000)."}
  },
  "required": ["pattern"],
  "additionalProperties": false
})";

// What was not searched.
struct Skipped {
  std::size_t binary = 0;
  std::size_t huge = 0;
  std::size_t unreadable = 0;
  bool out_of_time = false;
  bool out_of_bytes = false;
};

GrepOptions options_of(const boost::json::object& arguments) {
  GrepOptions options;
  const auto mode = text_argument(arguments, "output_mode", "files_with_matches");
  if (mode == "content") options.mode = GrepMode::content;
  if (mode == "count") options.mode = GrepMode::count;
  const auto context = int_argument(arguments, "context", 0);
  options.before = int_argument(arguments, "before", context);
  options.after = int_argument(arguments, "after", context);
  options.line_numbers = bool_argument(arguments, "line_numbers", true);
  const auto limit = int_argument(arguments, "head_limit", static_cast<std::int64_t>(base::limits::kGrepMatchesMax));
  options.shown_max = std::min(base::limits::kGrepMatchesMax, static_cast<std::size_t>(limit));
  return options;
}

std::string summary(const GrepSearch& search, const GrepOptions& options, const std::string& pattern) {
  const bool lines = options.mode == GrepMode::content;
  const auto total = lines ? search.lines_matched() : search.files_matched();
  if (total == 0) return "No matches for '" + shown(pattern) + "'.\n";
  if (search.shown() == total) return {};
  return "[" + std::to_string(search.shown()) + " of " + counted(total, lines ? "matching line" : "file") +
         " shown; narrow the search]\n";
}

std::string notices(const Skipped& skipped) {
  std::string parts;
  const auto add = [&](std::size_t n, std::string_view noun, const std::string& tail) {
    if (n > 0) parts += (parts.empty() ? "" : ", ") + counted(n, noun) + tail;
  };
  add(skipped.binary, "binary file", "");
  add(skipped.huge, "file", " over " + size_text(base::limits::kFileBytesMax));
  add(skipped.unreadable, "unreadable file", "");
  std::string text = parts.empty() ? "" : "[skipped: " + parts + "]\n";
  if (skipped.out_of_time) text += "[stopped when the time for one search was up: there may be more; narrow the path]\n";
  if (skipped.out_of_bytes)
    text += "[stopped after " + size_text(bounds::kGrepScanBytesMax) + " of files: there may be more; narrow the path]\n";
  return text;
}

class GrepTool final : public FileTool {
 public:
  using FileTool::FileTool;

 protected:
  base::Result<std::string> work(const boost::json::object& arguments, const FileSpace& space) const override {
    const auto pattern = text_argument(arguments, "pattern");
    const auto regex = GrepSearch::compile(pattern, bool_argument(arguments, "case_insensitive", false));
    if (!regex) return std::unexpected(regex.error());
    std::optional<GlobPattern> filter;
    if (arguments.contains("glob")) {
      auto glob = GlobPattern::compile(text_argument(arguments, "glob"), Anchor::basename);
      if (!glob) return std::unexpected(glob.error());
      filter = std::move(*glob);
    }
    const auto spot = space.find(text_argument(arguments, "path", "."));
    if (!spot) return std::unexpected(spot.error());
    const auto status = spot->directory.status(spot->path);
    if (!status) return std::unexpected(status.error());

    const auto options = options_of(arguments);
    GrepSearch search(**regex, options);
    const Deadline deadline(bounds::kSearchMsMax);
    Skipped skipped;
    WalkReport report;
    if (S_ISDIR(status->st_mode)) {
      auto walked = search_directory(spot->directory, spot->path, filter, deadline, search, skipped);
      if (!walked) return std::unexpected(walked.error());
      report = *walked;
    } else {
      // A file that was named is searched or refused, never skipped.
      const auto file = spot->directory.open_file(spot->path);
      if (!file) return std::unexpected(file.error());
      const auto name = spot->name();
      const auto content = read_whole(*file, name);
      if (!content) return std::unexpected(content.error());
      if (binary(*content))
        return base::fail(base::Errc::denied, "'" + shown(name) + "' is a binary file of " + size_text(content->size()));
      search.file(shown(name), *content);
    }
    return search.output() + summary(search, options, pattern) + notices(skipped) + tool::notices(report);
  }

 private:
  static base::Result<WalkReport> search_directory(const WorkDirectory& directory, const std::string& start,
                                                   const std::optional<GlobPattern>& filter, const Deadline& deadline,
                                                   GrepSearch& search, Skipped& skipped) {
    WalkOptions options;
    options.version_control = names_version_control(start);
    std::vector<std::string> paths;
    auto report = walk(
        directory, start, options, deadline,
        [&](const std::string& path) { return !filter || filter->matches(base::utf8_lossy(path)); },
        [&](Found found) {
          if (!S_ISREG(found.status.st_mode)) return;
          if (static_cast<std::size_t>(found.status.st_size) > base::limits::kFileBytesMax)
            ++skipped.huge;
          else
            paths.push_back(std::move(found.path));
        });
    if (!report) return report;
    const auto root = directory.below(start);
    if (!root) return std::unexpected(root.error());
    std::sort(paths.begin(), paths.end());
    std::size_t scanned = 0;
    for (const auto& path : paths) {
      skipped.out_of_time = skipped.out_of_time || deadline.passed();
      skipped.out_of_bytes = scanned > bounds::kGrepScanBytesMax;
      if (skipped.out_of_time || skipped.out_of_bytes) break;
      scanned += search_file(*root, path, directory.name(joined(start, path)), search, skipped);
    }
    return report;
  }

  // How many bytes were looked at.
  static std::size_t search_file(const WorkDirectory& root, const std::string& path, const std::string& shown_path,
                                 GrepSearch& search, Skipped& skipped) {
    const auto file = root.open_file(path, Links::refuse);
    if (!file) {
      skipped.unreadable += file.error().code != base::Errc::not_found;
      return 0;
    }
    const auto content = read_whole(*file, path);
    if (!content) {
      // It grew past the bound since it was listed, or it cannot be read.
      (content.error().code == base::Errc::denied ? skipped.huge : skipped.unreadable) += 1;
      return 0;
    }
    if (binary(*content))
      ++skipped.binary;
    else
      search.file(base::utf8_lossy(shown_path), *content);
    return content->size();
  }
};

}  // namespace

std::unique_ptr<Tool> grep_tool(aio::Offload& offload) {
  Definition definition;
  definition.name = "Grep";
  definition.module = "filesystem";
  definition.action = "grep";
  definition.description =
      "Searches the files of the work directory for a regular expression (RE2: linear time, no look-around). output_mode content "
      "shows "
      "path:line:text, files_with_matches (default) only paths, count the number of matching lines per file. Binary and huge "
      "files "
      "are skipped and counted; symbolic links are not followed.";
  definition.schema = kSchema;
  definition.side_effect = SideEffect::idempotent;
  return std::make_unique<GrepTool>(offload, std::move(definition));
}

}  // namespace tool
