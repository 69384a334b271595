#pragma once
// The files of one run directory. Everything blocks and may be called on any thread, one call of an object at a time; several
// processes may write one directory at once: its files are changed under an advisory lock of the directory, and a stream
// buffer grows only by lines that it does not hold yet.
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/projection_manifest.h"

namespace engine {

// The directory or a part of it was removed by someone; there is nothing to keep current any more.
class DirectoryGone : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// All throw base::Broken with path and reason where the file system refuses, DirectoryGone where the directory is not there.
class RunDirectory {
 public:
  // <runs>/<group_id>, absolute. Touches nothing.
  RunDirectory(const std::string& runs_directory, std::string_view group_id)
      : path_(runs_directory + "/" + std::string(group_id)) {}
  const std::string& path() const { return path_; }

  // Makes it and its parts where they are not there: branches/, stream/, artifacts/.
  void make() const;

  // Reads run.json, changes it and replaces it, all under the lock. Does nothing where it tells a later state already.
  void tell(const ManifestChange& change) const;

  // Replaces branches/<name>.json. Without `synced` a power cut may take it; sync_parts makes up for it.
  void replace_branch(const std::string& name, const std::string& content, bool synced = true) const;

  // Waits until everything in branches/ and stream/ is on disk.
  void sync_parts() const;

 private:
  std::string path_;
};

// stream/<name>.buffer.jsonl of a run directory, for appending.
class StreamBuffer {
 public:
  StreamBuffer(const RunDirectory& directory, const std::string& name, std::string run_id);
  ~StreamBuffer();
  StreamBuffer(const StreamBuffer&) = delete;
  StreamBuffer& operator=(const StreamBuffer&) = delete;

  // Appends the lines of events first, first + 1, ... except those that the file holds already. A torn end of the file (a
  // crash in a write) is cut off before.
  void append(std::uint64_t first, const std::vector<std::string>& lines);
  // Waits until what was appended is on disk.
  void sync();

 private:
  void open();
  void repair();

  const std::string path_, run_id_;
  int fd_ = -1;
  std::int64_t known_size_ = -1;  // the file's after our last append; another size means that somebody else wrote
  std::uint64_t next_ = 0;        // index of the first event that the file does not hold
};

}  // namespace engine
