#include "store/durable_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

namespace store {

namespace fs = std::filesystem;

namespace {

std::error_code sync_directory(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return {};  // one may be allowed to make names in a directory and not to read it; then the system's own time counts
  const int failed = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return {failed, std::generic_category()};
}

}  // namespace

std::error_code make_durable_directory(const std::string& path) {
  std::error_code ec;
  std::vector<fs::path> missing;
  for (auto at = fs::absolute(path); !fs::exists(at, ec) && !ec && at.has_relative_path(); at = at.parent_path())
    missing.push_back(at);
  if (ec || missing.empty()) return ec;
  for (auto at = missing.rbegin(); at != missing.rend() && !ec; ++at)
    if (fs::create_directory(*at, ec)) ec = sync_directory(at->parent_path());
  if (!ec) fs::permissions(path, fs::perms::owner_all, ec);
  return ec;
}

}  // namespace store
