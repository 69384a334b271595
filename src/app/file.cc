#include "app/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/problems.h"
#include "base/limits.h"

namespace app {

namespace {

std::unexpected<base::Error> failed(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) return base::fail(base::Errc::not_found, "'" + shown(path) + "' does not exist");
  return base::fail(base::Errc::unavailable, "'" + shown(path) + "' cannot be read: " + std::strerror(error));
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

base::Result<TextFile> read_text_file(const std::string& path) {
  if (path.find('\0') != std::string::npos) return failed(path, EINVAL);
  // A fifo in place of the file must not hang the program.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
  if (file.fd < 0) return failed(path, errno);
  struct stat status{};
  if (fstat(file.fd, &status) != 0) return failed(path, errno);
  if (!S_ISREG(status.st_mode)) return base::fail(base::Errc::invalid_argument, "'" + shown(path) + "' is not a regular file");
  TextFile result;
  result.mode = status.st_mode;
  char block[64 << 10];
  for (;;) {
    const auto n = read(file.fd, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path, errno);
    if (n == 0) return result;
    result.text.append(block, static_cast<std::size_t>(n));
    if (result.text.size() > base::limits::kConfigBytesMax) return result;
  }
}

}  // namespace app
