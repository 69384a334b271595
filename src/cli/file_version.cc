#include "cli/file_version.h"

#include <sys/stat.h>

namespace cli {

bool FileVersion::operator==(const FileVersion& other) const {
  return size == other.size && inode == other.inode && changed.tv_sec == other.changed.tv_sec &&
         changed.tv_nsec == other.changed.tv_nsec;
}

FileVersion version_of(const std::string& file) {
  struct stat status{};
  if (stat(file.c_str(), &status) != 0) return {};
  return {.size = status.st_size, .changed = status.st_mtim, .inode = status.st_ino};
}

}  // namespace cli
