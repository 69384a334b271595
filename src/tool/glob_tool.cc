// Glob: files by name pattern, newest first.
#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "tool/bounds.h"
#include "tool/file_tool.h"
#include "tool/glob_pattern.h"
#include "tool/walk.h"

namespace tool {

namespace {

constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {
    "pattern": {"type": "string", "minLength": 1, "description": "Like src/**/*.{cc,h}. ** is any directories, a final / asks for directories."},
    "path": {"type": "string", "minLength": 1, "description": "The directory that the pattern begins in. Default: the work directory."}
  },
  "required": ["pattern"],
  "additionalProperties": false
})";

struct Match {
  std::string path;
  timespec modified{};
};

bool newer(const Match& a, const Match& b) {
  if (a.modified.tv_sec != b.modified.tv_sec) return a.modified.tv_sec > b.modified.tv_sec;
  if (a.modified.tv_nsec != b.modified.tv_nsec) return a.modified.tv_nsec > b.modified.tv_nsec;
  return a.path < b.path;
}

bool has_parent(std::string_view pattern) {
  const auto parts = base::split(pattern, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

// With roots, the directories that a pattern begins with may say which one is meant: they move into the path.
bool move_directories(std::string& path, std::string& pattern) {
  const bool absolute = pattern.starts_with('/');
  const auto directories = std::string(literal_directories(pattern));
  if (!absolute && !has_parent(directories)) return false;
  pattern = pattern.substr(directories.size() + 1);
  path = absolute ? directories + "/" : path + "/" + directories;
  return true;
}

class GlobTool final : public FileTool {
 public:
  using FileTool::FileTool;

 protected:
  base::Result<std::string> work(const boost::json::object& arguments, const FileSpace& space) const override {
    auto pattern = text_argument(arguments, "pattern");
    auto path = text_argument(arguments, "path", ".");
    const auto given = pattern;
    const bool moved = space.has_roots() && move_directories(path, pattern);
    if (!moved && pattern.starts_with('/')) {
      // An absolute pattern inside the work directory: the part before the first special character tells.
      const auto slash = pattern.ends_with('/');
      auto inside = space.find(pattern);
      if (!inside) return std::unexpected(inside.error());
      pattern = inside->path + (slash ? "/" : "");
      path = ".";
    }
    if (has_parent(pattern))
      return base::fail(base::Errc::denied, "the pattern may not contain '..': files outside the work directory are not listed");
    const auto glob = GlobPattern::compile(pattern, Anchor::path);
    if (!glob) return std::unexpected(glob.error());
    const auto base = space.find(path);
    if (!base) return std::unexpected(base.error());

    std::vector<Match> matches;
    const auto report = search(base->directory, base->path, *glob, pattern, matches);
    // Here too: directories that the pattern names may be absent.
    if (!report && moved && report.error().code == base::Errc::not_found) return list({}, {}, given);
    if (!report) return std::unexpected(report.error());
    return list(std::move(matches), *report, moved ? given : pattern);
  }

 private:
  static base::Result<WalkReport> search(const WorkDirectory& directory, const std::string& base_path, const GlobPattern& glob,
                                         const std::string& pattern, std::vector<Match>& matches) {
    const std::string& literal = glob.literal_directory();
    const std::string start = literal.empty() ? base_path : joined(base_path, literal);
    // The directories that the pattern names may be absent: that is no match, not an error. The path must be there.
    if (auto there = directory.open_directory(start); !there) {
      if (auto given = directory.open_directory(base_path); !given) return std::unexpected(given.error());
      if (there.error().code == base::Errc::not_found) return WalkReport{};
    }

    const auto in_pattern = [&](const std::string& path) { return literal.empty() ? path : literal + "/" + path; };
    WalkOptions options;
    const auto skipped = literal.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(literal.begin(), literal.end(), '/'));
    if (glob.components_max()) options.components_max = *glob.components_max() - skipped;
    options.version_control = names_version_control(start) || names_version_control(pattern);
    return walk(
        directory, start, options, Deadline(bounds::kSearchMsMax),
        [&](const std::string& path) { return glob.matches(base::utf8_lossy(in_pattern(path))); },
        [&](Found found) {
          auto path = joined(start, found.path);
          if (S_ISLNK(found.status.st_mode)) {
            // A link counts as what it leads to, if that is inside.
            const auto target = directory.status(path);
            if (!target) return;
            found.status = *target;
          }
          if (glob.directories() ? !S_ISDIR(found.status.st_mode) : !S_ISREG(found.status.st_mode)) return;
          matches.push_back({directory.name(path) + (glob.directories() ? "/" : ""), found.status.st_mtim});
        });
  }

  static std::string list(std::vector<Match> matches, const WalkReport& report, const std::string& pattern) {
    const auto total = matches.size();
    std::sort(matches.begin(), matches.end(), newer);
    std::string text;
    std::size_t count = 0;
    const auto room = base::limits::kToolResultBytesMax - 1'000;  // for the notices
    for (const auto& match : matches) {
      const auto line = base::utf8_lossy(match.path) + "\n";
      if (count == base::limits::kGlobMatchesMax || text.size() + line.size() > room) break;
      text += line;
      ++count;
    }
    if (total == 0) text = "No files match '" + shown(pattern) + "'.\n";
    if (count < total)
      text += "[" + std::to_string(count) + " of " + counted(total, "match") + " shown, newest first; narrow the pattern]\n";
    return text + notices(report);
  }
};

}  // namespace

std::unique_ptr<Tool> glob_tool(aio::Offload& offload) {
  Definition definition;
  definition.name = "Glob";
  definition.module = "filesystem";
  definition.action = "glob";
  definition.description =
      "Finds files of the work directory by a pattern such as **/*.py or src/*.{cc,h}; paths come newest first. * and ? stay "
      "within "
      "one directory, ** goes through any number. Version control directories are skipped unless named.";
  definition.schema = kSchema;
  definition.side_effect = SideEffect::idempotent;
  return std::make_unique<GlobTool>(offload, std::move(definition));
}

}  // namespace tool
