#include "tool/walk.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "tool/file_tool.h"

namespace tool {

namespace {

struct CloseDirectory {
  void operator()(DIR* stream) const { closedir(stream); }
};
using Stream = std::unique_ptr<DIR, CloseDirectory>;

bool version_control(std::string_view name) { return name == ".git" || name == ".hg" || name == ".svn"; }

std::size_t components(std::string_view path) {
  std::size_t n = 1;
  for (const char c : path) n += c == '/';
  return n;
}

class Walker {
 public:
  Walker(const WorkDirectory& directory, const WalkOptions& options, const Deadline& deadline,
         const std::function<bool(const std::string&)>& wanted, const std::function<void(Found)>& found)
      : directory_(directory), options_(options), deadline_(deadline), wanted_(wanted), found_(found) {}

  WalkReport run() {
    pending_.emplace_back();
    while (!pending_.empty() && !report_.too_many && !report_.too_slow) {
      const std::string path = std::move(pending_.front());
      pending_.pop_front();
      auto fd = directory_.open_directory(path.empty() ? "." : path, Links::refuse);
      // A directory may vanish between being listed and being opened; one that we may not read is reported.
      if (!fd) {
        report_.unreadable += fd.error().code != base::Errc::not_found;
        continue;
      }
      read(path, std::move(*fd));
    }
    return report_;
  }

 private:
  void read(const std::string& path, Fd fd) {
    Stream stream(fdopendir(fd.get()));
    if (!stream) {
      ++report_.unreadable;
      return;
    }
    fd.release();
    while (const dirent* entry = readdir(stream.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++report_.entries > base::limits::kWalkEntriesMax) {
        report_.too_many = true;
        return;
      }
      if (report_.entries % 256 == 0 && deadline_.passed()) {
        report_.too_slow = true;
        return;
      }
      visit(dirfd(stream.get()), entry->d_type, path.empty() ? std::string(name) : path + "/" + std::string(name), name);
    }
  }

  void visit(int parent, unsigned char type, std::string path, std::string_view name) {
    const bool known = type == DT_REG || type == DT_DIR || type == DT_LNK;
    if (!known && type != DT_UNKNOWN) return;  // devices, fifos, sockets
    if (!options_.version_control && version_control(name)) return;
    const bool is_wanted = wanted_(path);
    struct stat status{};
    if (is_wanted || !known) {
      if (fstatat(parent, std::string(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
      if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)) return;
    }
    const bool is_directory = known ? type == DT_DIR : S_ISDIR(status.st_mode);
    if (is_directory && (!options_.components_max || components(path) < *options_.components_max)) pending_.push_back(path);
    if (is_wanted) found_({std::move(path), status});
  }

  const WorkDirectory& directory_;
  const WalkOptions& options_;
  const Deadline& deadline_;
  const std::function<bool(const std::string&)>& wanted_;
  const std::function<void(Found)>& found_;
  std::deque<std::string> pending_;
  WalkReport report_;
};

}  // namespace

Deadline::Deadline(std::int64_t ms) : end_ms_(base::SystemClock().steady_ms() + ms) {}
bool Deadline::passed() const { return base::SystemClock().steady_ms() > end_ms_; }

base::Result<WalkReport> walk(const WorkDirectory& directory, const std::string& start, const WalkOptions& options,
                              const Deadline& deadline, const std::function<bool(const std::string&)>& wanted,
                              const std::function<void(Found)>& found) {
  const auto root = directory.below(start);
  if (!root) return std::unexpected(root.error());
  return Walker(*root, options, deadline, wanted, found).run();
}

std::string notices(const WalkReport& report) {
  std::string text;
  if (report.too_many)
    text += "[stopped after " + std::to_string(base::limits::kWalkEntriesMax) +
            " directory entries: there may be more; narrow the path]\n";
  if (report.too_slow) text += "[stopped when the time for one search was up: there may be more; narrow the path]\n";
  if (report.unreadable > 0) text += "[" + counted(report.unreadable, "directory") + " could not be read]\n";
  return text;
}

bool names_version_control(std::string_view path) {
  const auto parts = base::split(path, '/');
  return std::any_of(parts.begin(), parts.end(), version_control);
}

std::string joined(const std::string& start, const std::string& path) { return start == "." ? path : start + "/" + path; }

}  // namespace tool
