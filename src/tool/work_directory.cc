#include "tool/work_directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "base/text.h"
#include "tool/bounds.h"
#include "tool/command_paths.h"

namespace tool {

namespace {

// Regular reads ignore O_NONBLOCK; it is there so that opening a fifo never waits for a writer.
constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr int kPathFlags = O_PATH | O_CLOEXEC;

int open_beneath(int root, const char* path, int flags, Links links) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (links == Links::refuse) how.resolve |= RESOLVE_NO_SYMLINKS;
  for (int attempt = 0;; ++attempt) {
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == EINTR || (errno == EAGAIN && attempt < bounds::kOpenRetries)) continue;
    return -errno;
  }
}

base::Error path_error(std::string_view path, int error, std::string_view directory = kTheWorkDirectory) {
  const auto name = "'" + shown(path) + "'";
  switch (error) {
    case ENOENT: return {base::Errc::not_found, name + " does not exist"};
    case EXDEV: return {base::Errc::denied, name + " leads outside " + std::string(directory)};
    case ELOOP: return {base::Errc::denied, name + " goes through a symbolic link that is not followed here"};
    case ENOTDIR: return {base::Errc::invalid_argument, name + ": a part of the path is not a directory"};
    case EISDIR: return {base::Errc::invalid_argument, name + " is a directory"};
    case EACCES:
    case EPERM: return {base::Errc::denied, name + ": permission denied"};
    case ENXIO: return {base::Errc::denied, name + " is a socket, fifo or device, not a regular file"};
    default: return {base::Errc::unavailable, name + ": " + std::strerror(error)};
  }
}

constexpr int kNotAllowed = EDOM;  // an errno that no file operation has

// Where a descriptor leads, without links; "" nobody can say.
std::string real_path_of(int fd) {
  std::string real(bounds::kPathBytesMax + 1, '\0');
  const auto length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), real.data(), real.size());
  real.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return real;
}

base::Error not_regular(std::string_view path, const struct stat& status) {
  const auto name = "'" + shown(path) + "' is a ";
  if (S_ISDIR(status.st_mode)) return {base::Errc::invalid_argument, name + "directory; Glob lists its files"};
  return {base::Errc::denied, name + std::string(kind(status)) + ", not a regular file"};
}

// The part of `path` below `prefix`, where it is inside; nothing else is known about the two.
std::optional<std::string_view> remainder(std::string_view path, std::string_view prefix) {
  if (prefix.empty() || !path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (!path.empty() && path.front() != '/' && !prefix.ends_with('/')) return std::nullopt;
  return path;
}

std::string without_dots(std::string_view path) {
  std::string out;
  for (const auto part : base::split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (!out.empty()) out += '/';
    out += part;
  }
  return out.empty() ? "." : out;
}

std::string absolute_without_dots(std::string_view path) {
  const auto clean = without_dots(path);
  return clean == "." ? "/" : "/" + clean;
}

struct Split {
  std::string parent;
  std::string name;
};

Split split_last(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

std::string_view kind(const struct stat& status) {
  if (S_ISREG(status.st_mode)) return "regular file";
  if (S_ISDIR(status.st_mode)) return "directory";
  if (S_ISLNK(status.st_mode)) return "symbolic link";
  if (S_ISFIFO(status.st_mode)) return "fifo";
  if (S_ISSOCK(status.st_mode)) return "socket";
  return "device";
}

std::string shown(std::string_view path) {
  auto text = base::utf8_lossy(base::utf8_prefix(path, 300));
  if (path.size() > 300) text += "…";
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

base::Result<> check_path(std::string_view path) {
  if (path.empty()) return base::fail(base::Errc::invalid_argument, "the path is empty");
  if (path.size() > bounds::kPathBytesMax) return std::unexpected(path_error(path, ENAMETOOLONG));
  if (path.find('\0') != std::string_view::npos) return base::fail(base::Errc::invalid_argument, "the path contains a NUL byte");
  return {};
}

WorkDirectory::WorkDirectory(Fd root, std::string path, std::string real_path, Resolver resolver, std::string_view called)
    : root_(std::make_shared<Fd>(std::move(root))),
      path_(std::move(path)),
      real_path_(std::move(real_path)),
      resolver_(resolver),
      called_(called) {}

base::Result<WorkDirectory> WorkDirectory::open(const std::string& path, std::string_view called) {
  auto opened = open(path, Resolver::kernel, called);
  if (!opened) return opened;
  // EPERM is what old container runtimes answer to system calls that they do not know.
  const Fd probe(open_beneath(opened->root_->get(), ".", kPathFlags | O_DIRECTORY, Links::follow));
  if (probe.get() == -ENOSYS || probe.get() == -EPERM) opened->resolver_ = Resolver::components;
  return opened;
}

base::Result<WorkDirectory> WorkDirectory::open(const std::string& path, Resolver resolver, std::string_view called) {
  if (!path.starts_with('/')) return base::fail(base::Errc::invalid_argument, std::string(called) + " must be an absolute path");
  Fd root(::open(path.c_str(), kPathFlags | O_DIRECTORY));
  if (!root.valid()) {
    const int error = errno;
    auto why = path_error(path, error);
    why.message = std::string(called) + " cannot be opened: " + why.message;
    return std::unexpected(std::move(why));
  }
  auto real = real_path_of(root.get());
  return WorkDirectory(std::move(root), absolute_without_dots(path), std::move(real), resolver, called);
}

base::Result<std::string> WorkDirectory::relative(std::string_view path) const {
  if (auto checked = check_path(path); !checked) return std::unexpected(checked.error());
  if (path.front() != '/') return without_dots(path);
  const auto clean = absolute_without_dots(path);
  for (const auto& prefix : {path_, real_path_})
    if (const auto rest = remainder(clean, prefix)) return without_dots(*rest);
  return std::unexpected(path_error(path, EXDEV, called_));
}

WorkDirectory WorkDirectory::reached_by(std::string prefix) const {
  auto same = *this;
  same.prefix_ = std::move(prefix);
  return same;
}

std::string WorkDirectory::name(const std::string& path) const {
  if (prefix_.empty()) return path;
  return path == "." ? prefix_ : prefix_ + (prefix_.ends_with('/') ? "" : "/") + path;
}

int WorkDirectory::resolve_components(const std::string& path, int flags) const {
  // No link is followed, so ".." can be taken back lexically.
  std::vector<std::string> parts;
  for (const auto part : base::split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.emplace_back(part);
      continue;
    }
    if (parts.empty()) return -EXDEV;
    parts.pop_back();
  }
  if (parts.empty()) parts.emplace_back(".");
  Fd current;
  int at = root_->get();
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    Fd next(openat(at, parts[i].c_str(), kPathFlags | O_DIRECTORY | O_NOFOLLOW));
    if (!next.valid()) return -errno;
    current = std::move(next);
    at = current.get();
  }
  Fd last(openat(at, parts.back().c_str(), flags | O_NOFOLLOW));
  if (!last.valid()) return -errno;
  struct stat status{};
  if (fstat(last.get(), &status) != 0) return -errno;
  return S_ISLNK(status.st_mode) ? -ELOOP : last.release();
}

int WorkDirectory::resolve_anywhere(const std::string& path, int flags, Links links) const {
  if (resolver_ == Resolver::components) return resolve_components(path, flags);
  return open_beneath(root_->get(), path.c_str(), flags, links);
}

int WorkDirectory::resolve(const std::string& path, int flags, Links links) const {
  Fd fd(resolve_anywhere(path, flags, links));
  if (fd.valid() && !allows(fd.get())) return -kNotAllowed;
  return fd.release();
}

void WorkDirectory::confine(const std::vector<std::string>& paths) {
  allowed_.emplace();
  allowed_names_.clear();
  for (const auto& given : paths) {
    allowed_names_ += (allowed_names_.empty() ? "" : ", ") + given;
    const auto path = relative(given);
    if (!path) continue;  // nothing of it is here
    if (auto real = absolute_path(real_path_, *path); lies_in(real, real_path_)) allowed_->push_back(std::move(real));
    const Fd there(resolve_anywhere(*path, kPathFlags, Links::follow));
    if (there.valid()) allowed_->push_back(real_path_of(there.get()));
  }
}

bool WorkDirectory::allows(int fd, const std::string& rest) const {
  if (!allowed_) return true;
  const auto base = real_path_of(fd);
  const auto real = rest.empty() ? base : absolute_path(base, rest);
  return !base.empty() &&
         std::ranges::any_of(*allowed_, [&real](const std::string& root) { return !root.empty() && lies_in(real, root); });
}

std::unexpected<base::Error> WorkDirectory::refuse(const std::string& path, int error) const {
  if (error != kNotAllowed) return std::unexpected(path_error(name(path), error, called_));
  return base::fail(base::Errc::denied,
                    "'" + shown(name(path)) + "' is not inside the paths that are allowed here: " + shown(allowed_names_));
}

base::Result<struct stat> WorkDirectory::status(const std::string& path) const {
  const Fd fd(resolve(path, kPathFlags, Links::follow));
  if (!fd.valid()) return refuse(path, -fd.get());
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return refuse(path, errno);
  return status;
}

base::Result<Fd> WorkDirectory::open_file(const std::string& path, Links links) const {
  // First without opening it, so that no device or fifo is ever opened; what is opened then is checked again by itself.
  for (const int flags : {kPathFlags, kReadFlags}) {
    Fd fd(resolve(path, flags, links));
    if (!fd.valid()) return refuse(path, -fd.get());
    struct stat status{};
    if (fstat(fd.get(), &status) != 0) return refuse(path, errno);
    if (!S_ISREG(status.st_mode)) return std::unexpected(not_regular(name(path), status));
    if (flags == kReadFlags) return fd;
  }
  return refuse(path, EINVAL);
}

base::Result<Fd> WorkDirectory::open_directory(const std::string& path, Links links) const {
  Fd fd(resolve(path, kDirectoryFlags, links));
  if (!fd.valid()) return refuse(path, -fd.get());
  return fd;
}

base::Result<WorkDirectory> WorkDirectory::below(const std::string& path) const {
  auto fd = open_directory(path);
  if (!fd) return std::unexpected(fd.error());
  return WorkDirectory(std::move(*fd), path_ + "/" + path, "", resolver_, called_);
}

base::Result<Fd> WorkDirectory::parent(const std::string& path, const std::string& name, Parents parents, int& created) const {
  const auto parts = base::split(path, '/');
  // The longest part that exists, from the whole path upward.
  std::size_t have = parts.size();
  std::string prefix = path;
  Fd current(resolve_anywhere(prefix, kDirectoryFlags, Links::follow));
  while (current.get() == -ENOENT && parents == Parents::create && have > 0) {
    --have;
    prefix = have == 0 ? "." : prefix.substr(0, prefix.rfind('/'));
    current = Fd(resolve_anywhere(prefix, kDirectoryFlags, Links::follow));
  }
  if (!current.valid()) return refuse(path, -current.get());
  std::string rest;
  for (std::size_t i = have; i < parts.size(); ++i) rest += std::string(parts[i]) + "/";
  if (!allows(current.get(), rest + name)) return refuse(path, kNotAllowed);
  for (std::size_t i = have; i < parts.size(); ++i) {
    const std::string next_name(parts[i]);
    if (next_name == "..")
      return base::fail(base::Errc::invalid_argument,
                        "'" + shown(this->name(path)) + "': '..' after a directory that does not exist");
    if (mkdirat(current.get(), next_name.c_str(), 0777) == 0) {
      ++created;
      if (fsync(current.get()) != 0) return refuse(path, errno);
    } else if (errno != EEXIST) {
      return refuse(path, errno);
    }
    // A link here is one that leads nowhere, or one that somebody just put in our way.
    Fd next(openat(current.get(), next_name.c_str(), kDirectoryFlags | O_NOFOLLOW));
    if (!next.valid()) return refuse(path, errno);
    current = std::move(next);
  }
  return current;
}

base::Result<Place> WorkDirectory::place(const std::string& path, Parents parents) const {
  Place place;
  std::string at = path;
  for (int hop = 0; hop <= bounds::kLinkHopsMax; ++hop) {
    const auto [directory, last] = split_last(at);
    if (last.empty() || last == "." || last == "..") return refuse(path, EISDIR);
    auto opened = parent(directory, last, parents, place.directories_created);
    if (!opened) return std::unexpected(opened.error());
    place.directory = std::move(*opened);
    place.name = last;
    place.path = name(at);
    if (fstatat(place.directory.get(), last.c_str(), &place.status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) return refuse(path, errno);
      return place;
    }
    if (!S_ISLNK(place.status.st_mode)) {
      if (!S_ISREG(place.status.st_mode)) return std::unexpected(not_regular(name(path), place.status));
      place.exists = true;
      return place;
    }
    if (resolver_ == Resolver::components) return refuse(path, ELOOP);
    std::string target(bounds::kPathBytesMax + 1, '\0');
    const auto length = readlinkat(place.directory.get(), last.c_str(), target.data(), target.size());
    if (length <= 0) return refuse(path, length < 0 ? errno : EINVAL);
    target.resize(static_cast<std::size_t>(length));
    if (target.front() == '/') return refuse(path, EXDEV);
    at = without_dots(directory + "/" + target);
    if (at.size() > bounds::kPathBytesMax) return refuse(path, ENAMETOOLONG);
  }
  return refuse(path, ELOOP);
}

base::Result<Fd> open_place(Place& place) {
  Fd fd(openat(place.directory.get(), place.name.c_str(), kReadFlags | O_NOFOLLOW));
  if (!fd.valid() || fstat(fd.get(), &place.status) != 0) return std::unexpected(path_error(place.path, errno));
  if (!S_ISREG(place.status.st_mode)) return std::unexpected(not_regular(place.path, place.status));
  place.exists = true;
  return fd;
}

}  // namespace tool
