#include "tool/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/ids.h"

namespace tool {

namespace {

// A temporary file beside its target; removed unless it took the target's place.
class Temporary {
 public:
  Temporary(int directory, mode_t mode) : directory_(directory) {
    base::SystemRandom random;
    name_ = ".outlast-" + base::hex(random, 16) + ".tmp";
    fd_ = Fd(openat(directory_, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (fd_.valid() && !renamed_) unlinkat(directory_, name_.c_str(), 0);
  }

  int fd() const { return fd_.get(); }
  bool valid() const { return fd_.valid(); }
  bool rename_to(const std::string& target) {
    renamed_ = renameat(directory_, name_.c_str(), directory_, target.c_str()) == 0;
    return renamed_;
  }

 private:
  int directory_;
  std::string name_;
  Fd fd_;
  bool renamed_ = false;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

base::Result<> replace_file(const Place& place, std::string_view content) {
  const auto failed = [&](std::string_view what) {
    const int error = errno;
    const auto code = error == EACCES || error == EPERM ? base::Errc::denied : base::Errc::unavailable;
    return base::fail(code, "'" + shown(place.path) + "' " + std::string(what) + ": " + std::strerror(error));
  };
  const int directory = place.directory.get();
  // A rename asks only the directory; that the file itself is read-only is respected here.
  if (place.exists && faccessat(directory, place.name.c_str(), W_OK, AT_EACCESS) != 0) return failed("may not be written");

  Temporary temporary(directory, place.exists ? 0600 : 0666);
  if (!temporary.valid()) return failed("cannot be written");
  if (!write_all(temporary.fd(), content)) return failed("cannot be written");
  if (place.exists) {
    // The owner first: changing it clears set-id bits. Only root may give files away, so a refusal is no failure.
    const bool owned = fchown(temporary.fd(), place.status.st_uid, place.status.st_gid) == 0;
    const mode_t mode = place.status.st_mode & (owned ? mode_t{07777} : mode_t{0777});
    if (fchmod(temporary.fd(), mode) != 0) return failed("cannot keep its permissions");
  }
  if (fsync(temporary.fd()) != 0) return failed("cannot be synced");
  if (!temporary.rename_to(place.name)) return failed("cannot be replaced");
  if (fsync(directory) != 0) return failed("was written, but its directory cannot be synced");
  return {};
}

std::unique_lock<std::mutex> FileLocks::lock(const Place& place) {
  struct stat status{};
  fstat(place.directory.get(), &status);
  const auto key = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) + "/" + place.name;
  return std::unique_lock(stripes_[std::hash<std::string>{}(key) % kStripes]);
}

}  // namespace tool
