#include "tool/file_content.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/limits.h"
#include "tool/bounds.h"
#include "tool/work_directory.h"

namespace tool {

base::Result<std::size_t> read_block(const Fd& fd, std::string& out, std::string_view path) {
  const auto before = out.size();
  out.resize(before + bounds::kBlockBytes);
  for (;;) {
    const auto n = read(fd.get(), out.data() + before, bounds::kBlockBytes);
    if (n < 0 && errno == EINTR) continue;
    out.resize(before + (n > 0 ? static_cast<std::size_t>(n) : 0));
    if (n < 0) return base::fail(base::Errc::unavailable, "'" + shown(path) + "' cannot be read: " + std::strerror(errno));
    return static_cast<std::size_t>(n);
  }
}

base::Result<std::string> read_whole(const Fd& fd, std::string_view path) {
  struct stat status{};
  std::string content;
  if (fstat(fd.get(), &status) == 0 && status.st_size > 0) {
    if (static_cast<std::size_t>(status.st_size) <= base::limits::kFileBytesMax)
      content.reserve(static_cast<std::size_t>(status.st_size) + bounds::kBlockBytes);
    else
      return base::fail(base::Errc::denied, "'" + shown(path) +
                                                "' is too big: " + size_text(static_cast<std::size_t>(status.st_size)) +
                                                ", the limit is " + size_text(base::limits::kFileBytesMax));
  }
  for (;;) {
    const auto n = read_block(fd, content, path);
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return content;
    if (content.size() > base::limits::kFileBytesMax)
      return base::fail(base::Errc::denied,
                        "'" + shown(path) + "' is too big: more than " + size_text(base::limits::kFileBytesMax));
  }
}

bool binary(std::string_view bytes) { return bytes.find('\0') != std::string_view::npos; }

std::string size_text(std::size_t bytes) {
  if (bytes < 10'000) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  char text[32];
  const auto kib = static_cast<double>(bytes) / 1024;
  if (kib < 1024)
    std::snprintf(text, sizeof text, "%.1f KiB", kib);
  else
    std::snprintf(text, sizeof text, "%.1f MiB", kib / 1024);
  return text;
}

}  // namespace tool
