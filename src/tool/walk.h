#pragma once
// Walks the files below a directory: breadth first, so that a bound cuts off the deepest, and never through a symbolic link.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "tool/work_directory.h"

namespace tool {

// The wall clock of one search. Awaiting work on the pool cannot be cut short, so the work watches the time itself.
class Deadline {
 public:
  explicit Deadline(std::int64_t ms);
  bool passed() const;

 private:
  std::int64_t end_ms_;
};

struct Found {
  std::string path;      // relative to where the walk began
  struct stat status{};  // of the entry itself: a regular file, a directory or a symbolic link
};

struct WalkOptions {
  std::optional<std::size_t> components_max;  // how deep paths may be
  bool version_control = false;               // look into .git, .hg and .svn too
};

// What the walk left out.
struct WalkReport {
  std::size_t entries = 0;
  std::size_t unreadable = 0;
  bool too_many = false;  // kWalkEntriesMax
  bool too_slow = false;  // the deadline
};

// `start` is relative to the work directory and may itself lead through links that stay inside. `wanted` decides by path alone
// whether `found` is called, so that only those entries cost a stat; it sees regular files, directories and links.
base::Result<WalkReport> walk(const WorkDirectory& directory, const std::string& start, const WalkOptions& options,
                              const Deadline& deadline, const std::function<bool(const std::string& path)>& wanted,
                              const std::function<void(Found found)>& found);

// "[…]" lines for what was left out; empty if nothing was.
std::string notices(const WalkReport& report);

// Whether a component of the path or pattern is .git, .hg or .svn.
bool names_version_control(std::string_view path);

// start + "/" + path, without the "." of the work directory itself.
std::string joined(const std::string& start, const std::string& path);

}  // namespace tool
