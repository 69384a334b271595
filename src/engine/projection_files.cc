#include "engine/projection_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "engine/projection_lines.h"

namespace engine {

namespace json = boost::json;

namespace {

[[noreturn]] void fail(const std::string& doing, const std::string& path) {
  const int reason = errno;
  const auto message = doing + " " + path + ": " + std::strerror(reason);
  if (reason == ENOENT) throw DirectoryGone(message);
  throw base::Broken(message);
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (fd_ < 0) fail("cannot open", path);
  }
  ~File() { close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// An exclusive lock of an open file or directory; the kernel frees that of a dead process.
class Lock {
 public:
  Lock(int fd, const std::string& path) : fd_(fd) {
    while (flock(fd_, LOCK_EX) != 0)
      if (errno != EINTR) fail("cannot lock", path);
  }
  ~Lock() { flock(fd_, LOCK_UN); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int fd_;
};

void make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail("cannot make", path);
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string read_all(int fd, const std::string& path) {
  std::string content;
  char buffer[1 << 16];
  for (;;) {
    const auto n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot read", path);
    if (n == 0) return content;
    content.append(buffer, static_cast<std::size_t>(n));
  }
}

// Replaces directory/name whole: readers see the old or the new content, also after a power loss. Under the directory's lock,
// so that the passing file has one name and a crash leaves at most one behind.
void replace(const File& directory, const std::string& directory_path, const std::string& name, const std::string& content, bool synced = true) {
  const auto passing = directory_path + "/." + name + ".new";
  const auto path = directory_path + "/" + name;
  {
    const File file(passing, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(file.fd(), content, passing);
    if (synced && fsync(file.fd()) != 0) fail("cannot sync", passing);
  }
  if (rename(passing.c_str(), path.c_str()) != 0) fail("cannot replace", path);
  if (synced && fsync(directory.fd()) != 0) fail("cannot sync", directory_path);
}

json::object read_manifest(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return {};
    fail("cannot open", path);
  }
  std::string content;
  try {
    content = read_all(fd, path);
  } catch (...) {
    close(fd);
    throw;
  }
  close(fd);
  auto value = base::parse_json(content);
  // A manifest that is not ours to read is replaced: it is a projection, the run log holds the truth.
  return value && value->is_object() ? std::move(value->get_object()) : json::object{};
}

// `ls -t` shows the newest run first: the directory's time is when its run began, not when its manifest was last replaced.
void keep_time(const File& directory, const json::object& manifest) {
  const auto started = base::number_field(manifest, "started_at");
  if (!started) return;
  const auto seconds = static_cast<std::int64_t>(*started);
  const auto rest = static_cast<std::int64_t>((*started - static_cast<double>(seconds)) * 1e9);
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = rest}};
  futimens(directory.fd(), times);  // a courtesy: a file system that refuses it loses nothing
}

}  // namespace

void RunDirectory::make() const {
  const auto slash = path_.rfind('/');
  make_directory(path_.substr(0, slash));
  make_directory(path_);
  for (const char* part : {"/branches", "/stream", "/artifacts"}) make_directory(path_ + part);
}

void RunDirectory::tell(const ManifestChange& change) const {
  const File directory(path_, O_RDONLY | O_DIRECTORY);
  const Lock lock(directory.fd(), path_);
  const auto changed = changed_manifest(read_manifest(path_ + "/run.json"), change);
  if (!changed) return;
  replace(directory, path_, "run.json", indented(*changed));
  keep_time(directory, *changed);
}

void RunDirectory::replace_branch(const std::string& name, const std::string& content, bool synced) const {
  const auto path = path_ + "/branches";
  const File directory(path, O_RDONLY | O_DIRECTORY);
  const Lock lock(directory.fd(), path);
  replace(directory, path, name + ".json", content, synced);
}

void RunDirectory::sync_parts() const {
  for (const auto* part : {"/branches", "/stream"}) {
    const File directory(path_ + part, O_RDONLY | O_DIRECTORY);
    std::error_code ec;
    for (std::filesystem::directory_iterator at(path_ + part, ec), end; !ec && at != end; at.increment(ec)) {
      const int fd = open(at->path().c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) continue;  // replaced just now: whoever did it syncs it
      const bool done = fsync(fd) == 0;
      close(fd);
      if (!done) fail("cannot sync", at->path().string());
    }
    if (fsync(directory.fd()) != 0) fail("cannot sync", path_ + part);
  }
}

StreamBuffer::StreamBuffer(const RunDirectory& directory, const std::string& name, std::string run_id)
    : path_(directory.path() + "/stream/" + name + ".buffer.jsonl"), run_id_(std::move(run_id)) {}

StreamBuffer::~StreamBuffer() {
  if (fd_ >= 0) close(fd_);
}

void StreamBuffer::open() {
  if (fd_ >= 0) return;
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) fail("cannot open", path_);
}

// Finds what the file holds of this run, and cuts off what is no line.
void StreamBuffer::repair() {
  next_ = 0;
  std::int64_t good = 0, at = 0;
  std::string rest;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const auto n = pread(fd_, buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot read", path_);
    if (n == 0) break;
    at += n;
    rest.append(buffer.data(), static_cast<std::size_t>(n));
    std::size_t from = 0;
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', from)) {
      const auto line = std::string_view(rest).substr(from, end - from);
      from = end + 1;
      if (is_stream_line(line)) good = at - static_cast<std::int64_t>(rest.size() - from);
      if (const auto index = stream_index(line, run_id_); index && *index >= next_) next_ = *index + 1;
    }
    rest.erase(0, from);
  }
  if (good < at && ftruncate(fd_, good) != 0) fail("cannot repair", path_);
  known_size_ = good;
}

void StreamBuffer::append(std::uint64_t first, const std::vector<std::string>& lines) {
  open();
  const Lock lock(fd_, path_);
  struct stat status{};
  if (fstat(fd_, &status) != 0) fail("cannot look at", path_);
  if (status.st_size != known_size_) repair();
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (first + i < next_) continue;
    text += lines[i];
    text += '\n';
  }
  if (text.empty()) return;
  const auto size = known_size_;
  known_size_ = -1;  // until the write is whole
  write_all(fd_, text, path_);
  base::failpoint("projection.after_write");
  known_size_ = size + static_cast<std::int64_t>(text.size());
  next_ = first + lines.size();
}

void StreamBuffer::sync() {
  if (fd_ >= 0 && fdatasync(fd_) != 0) fail("cannot sync", path_);
}

}  // namespace engine
