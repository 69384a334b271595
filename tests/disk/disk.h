#pragma once
// One directory as SQLite's files in it see their disk: everything that was asked is kept in order (the journal), and calls can
// be made to fail. Shared memory is not kept: it never outlasts a power cut.
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace disk {

// How many entries the journal had at a moment; a cut at a position happens after that many.
using Position = std::size_t;
// A file's content. A path that is removed and made again is another one.
using Inode = std::size_t;

enum class FileKind { database, wal, rollback_journal, other };

struct Entry {
  enum class Kind { write, truncate, sync, failed_sync, create, remove, sync_directory };
  Kind kind = Kind::write;
  FileKind file = FileKind::other;
  Inode inode = 0;
  std::int64_t offset = 0;  // write: where; truncate: the new size
  Position begun = 0;       // sync: what was asked before this position is covered
  std::string bytes;        // write: what; create, remove: the file's name
};

// What may fail, and how.
enum class Call { open, read, write, sync, truncate, remove, share, lock };
enum class Effect { io_error, disk_full, short_write, silence };  // silence: a sync that does nothing and says that it did

struct Fault {
  Call call = Call::write;
  std::optional<FileKind> file;  // of this kind only
  int first = 1, last = 1;       // of the calls that match, counted from 1, these fail
  Effect effect = Effect::io_error;
};

// All functions: any thread.
class Disk {
 public:
  explicit Disk(std::string directory) : directory_(std::move(directory)) {}
  const std::string& directory() const { return directory_; }

  // Does what is asked and remembers it where it was done (`doing` returns 0), both before any other thread's next call.
  template <class Doing>
  int keep(Entry entry, Doing doing) {
    const std::lock_guard hold(mutex_);
    if (const int code = doing()) return code;
    journal_.push_back(std::move(entry));
    return 0;
  }
  Position now() const;
  // The content behind a name, made (and remembered as made) where it is not there yet.
  Inode open(const std::string& name, FileKind kind);
  void removed(const std::string& name);

  void arm(Fault fault);
  void heal();
  // How often the armed fault has struck.
  int strikes() const;
  std::optional<Effect> strike(Call call, FileKind file);

  // Only when nobody writes any more.
  const std::vector<Entry>& journal() const { return journal_; }

 private:
  const std::string directory_;

  mutable std::mutex mutex_;  // protects all below
  std::vector<Entry> journal_;
  std::unordered_map<std::string, Inode> names_;
  Inode inodes_ = 0;
  std::optional<Fault> fault_;
  int matching_calls_ = 0, strikes_ = 0;
};

}  // namespace disk
