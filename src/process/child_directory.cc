#include "process/child_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace process {

namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;  // of the small files
constexpr std::size_t kLineEndSearch = 512;     // how far an excerpt's cut moves to a line's end

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

[[noreturn]] void broken(const std::string& path, std::string_view doing) {
  throw base::Broken(path + ": " + std::string(doing) + ": " + std::strerror(errno));
}

void sync_directory(const std::string& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) broken(path, "cannot be synced");
}

// A new file with the text, synced, under a name that nobody else uses.
std::string write_aside(const std::string& path, std::string_view text) {
  const auto aside = path + "." + std::to_string(gettid());
  const Descriptor fd(open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) broken(aside, "cannot be made");
  for (std::string_view rest = text; !rest.empty();) {
    const auto written = ::write(fd.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) broken(aside, "cannot be written");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd.get()) != 0) broken(aside, "cannot be synced");
  return aside;
}

std::string read_at(int fd, std::uint64_t offset, std::size_t bytes) {
  std::string out(bytes, '\0');
  std::size_t filled = 0;
  while (filled < bytes) {
    const auto got = pread(fd, out.data() + filled, bytes - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  out.resize(filled);
  return out;
}

std::uint64_t count_lines(int fd, std::uint64_t from, std::uint64_t to) {
  std::uint64_t lines = 0;
  std::array<char, 64 << 10> buffer;
  while (from < to) {
    const auto got = pread(fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), to - from), static_cast<off_t>(from));
    if (got <= 0) break;
    lines += static_cast<std::uint64_t>(std::count(buffer.data(), buffer.data() + got, '\n'));
    from += static_cast<std::uint64_t>(got);
  }
  return lines;
}

}  // namespace

void ChildDirectory::make(const ChildSpec& spec) const {
  namespace fs = std::filesystem;
  std::error_code ec;
  if (fs::exists(file(kSpecFile), ec)) return;
  fs::create_directories(path_, ec);
  if (ec) throw base::Broken(path_ + ": cannot be made: " + ec.message());
  fs::permissions(path_, fs::perms::owner_all, ec);
  place(kSpecFile, encode(spec));
  // Its own name, its run's, and the root's, which the first command of a home has made: a command whose directory a power cut
  // took back would be started again.
  auto above = fs::path(path_);
  for (int level = 0; level < 3; ++level) sync_directory((above = above.parent_path()).string());
}

bool ChildDirectory::claim(std::string_view text) const { return place(kClaimFile, text); }

bool ChildDirectory::place(std::string_view name, std::string_view text) const {
  const auto aside = write_aside(file(name), text);
  const bool placed = link(aside.c_str(), file(name).c_str()) == 0;
  const int reason = errno;
  unlink(aside.c_str());
  errno = reason;
  if (!placed && reason != EEXIST) broken(file(name), "cannot be made");
  if (placed) sync_directory(path_);
  return placed;
}

std::optional<std::string> ChildDirectory::read(std::string_view name) const {
  const Descriptor fd(open(file(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return std::nullopt;
  return read_at(fd.get(), 0, kFileBytesMax);
}

void ChildDirectory::write(std::string_view name, std::string_view text) const {
  const auto aside = write_aside(file(name), text);
  if (rename(aside.c_str(), file(name).c_str()) != 0) broken(file(name), "cannot be written");
  sync_directory(path_);
}

base::Result<base::ProcessIdentity> ChildDirectory::owner() const {
  const auto text = read(kClaimFile);
  if (!text) return base::fail(base::Errc::unavailable, "not claimed");
  return decode_claim(*text);
}

std::optional<Ended> ChildDirectory::ended() const {
  const auto text = read(kEndFile);
  if (!text) return std::nullopt;
  auto ended = decode_ended(*text);
  if (!ended) throw base::Broken(file(kEndFile) + ": " + ended.error().message);
  return std::move(*ended);
}

std::optional<base::ProcessIdentity> ChildDirectory::process() const {
  const auto text = read(kProcessFile);
  const auto known = text ? decode_claim(*text) : base::fail(base::Errc::not_found, "");
  return known ? std::optional(*known) : std::nullopt;
}

bool ChildDirectory::lives() const {
  const auto known = process();
  return known && base::lives(*known);
}

Tail read_tail(const std::string& path, std::size_t lines, std::size_t bytes, std::size_t margin) {
  Tail out;
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status{};
  if (!fd.valid() || fstat(fd.get(), &status) != 0) return out;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const auto from = size > bytes ? size - bytes : 0;
  out.text = read_at(fd.get(), from, size - from);
  out.lines = static_cast<std::int64_t>(count_lines(fd.get(), 0, size)) + (!out.text.empty() && out.text.back() != '\n');
  std::size_t at = out.text.size() - (out.text.ends_with('\n') ? 1 : 0);
  for (std::size_t i = 0; i < lines && at != std::string::npos; ++i) at = at ? out.text.rfind('\n', at - 1) : std::string::npos;
  if (at != std::string::npos) out.text.erase(0, at + 1);
  const auto begins = from + (at == std::string::npos ? 0 : at + 1);
  const auto before = std::min<std::uint64_t>(margin, begins);
  if (before) out.before = read_at(fd.get(), begins - before, before);
  return out;
}

Excerpt read_excerpt(const std::string& path, std::size_t head_bytes, std::size_t tail_bytes, std::size_t margin) {
  Excerpt out;
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status{};
  if (!fd.valid() || fstat(fd.get(), &status) != 0) return out;
  out.bytes = static_cast<std::uint64_t>(status.st_size);
  if (out.bytes <= head_bytes + tail_bytes) {
    out.head = read_at(fd.get(), 0, out.bytes);
    out.bytes = out.head.size();
    return out;
  }
  out.head = read_at(fd.get(), 0, head_bytes);
  if (const auto end = out.head.rfind('\n'); end != std::string::npos && head_bytes - end < kLineEndSearch)
    out.head.resize(end + 1);
  out.tail = read_at(fd.get(), out.bytes - tail_bytes, tail_bytes);
  if (const auto begin = out.tail.find('\n'); begin != std::string::npos && begin < kLineEndSearch) out.tail.erase(0, begin + 1);
  const auto from = out.head.size(), to = out.bytes - out.tail.size();
  out.omitted_bytes = to - from;
  out.omitted_lines = count_lines(fd.get(), from, to);
  const auto beside = std::min<std::uint64_t>(margin, out.omitted_bytes);
  out.beyond_head = read_at(fd.get(), from, beside);
  out.before_tail = read_at(fd.get(), to - beside, beside);
  return out;
}

std::string read_from(const std::string& path, std::uint64_t from, std::size_t bytes) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return fd.valid() ? read_at(fd.get(), from, bytes) : std::string();
}

std::string read_around(const std::string& path, std::uint64_t at, std::size_t margin, std::uint64_t& begins) {
  begins = at > margin ? at - margin : 0;
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return fd.valid() ? read_at(fd.get(), begins, at - begins + margin) : std::string();
}

}  // namespace process
