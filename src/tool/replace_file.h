#pragma once
// Replaces a file atomically: whoever looks sees the old bytes or the new ones, also after a crash or a power loss.
#include <cstddef>
#include <mutex>
#include <string_view>

#include "base/error.h"
#include "tool/work_directory.h"

namespace tool {

// Writes a temporary file beside the target, syncs it, renames it over the target and syncs the directory. Permission bits (and,
// where we may, the owner) of an existing file are kept; hard links to it and extended attributes are not.
// A crash in between leaves `.outlast-*.tmp` behind, never a torn target.
base::Result<> replace_file(const Place& place, std::string_view content);

// Edit reads, changes and writes; two of them at once on one file would lose one change. Striped by the file's directory and
// name, so that unrelated files do not wait for each other's fsync. Held on pool threads only.
class FileLocks {
 public:
  std::unique_lock<std::mutex> lock(const Place& place);

 private:
  static constexpr std::size_t kStripes = 64;
  std::mutex stripes_[kStripes];
};

}  // namespace tool
