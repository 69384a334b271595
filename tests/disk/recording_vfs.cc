#include "tests/disk/recording_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <string_view>

namespace disk {

namespace {

// SQLite allocates it, with the real file behind it in the same piece of memory.
struct File {
  sqlite3_file base;
  sqlite3_file* real;
  Disk* disk;  // null: a file of no attached directory
  FileKind kind;
  Inode inode;
  bool makes_durable_name;  // its first sync syncs the directory too, as SQLite's own does for what it may have made
};

File& file_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_vfs* real_of(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

FileKind kind_of(int flags) {
  if (flags & SQLITE_OPEN_MAIN_DB) return FileKind::database;
  if (flags & SQLITE_OPEN_WAL) return FileKind::wal;
  if (flags & SQLITE_OPEN_MAIN_JOURNAL) return FileKind::rollback_journal;
  return FileKind::other;
}

// What SQLite says for a failing call; 0 where it does not fail.
int fails(const File& file, Call call, int io_error_code) {
  if (!file.disk) return SQLITE_OK;
  const auto effect = file.disk->strike(call, file.kind);
  if (!effect) return SQLITE_OK;
  return *effect == Effect::io_error ? io_error_code : SQLITE_FULL;
}

int close_file(sqlite3_file* base) { return file_of(base).real->pMethods->xClose(file_of(base).real); }

int read_file(sqlite3_file* base, void* into, int bytes, sqlite3_int64 offset) {
  const auto& file = file_of(base);
  if (const int code = fails(file, Call::read, SQLITE_IOERR_READ)) return code;
  return file.real->pMethods->xRead(file.real, into, bytes, offset);
}

int write_file(sqlite3_file* base, const void* from, int bytes, sqlite3_int64 offset) {
  const auto& file = file_of(base);
  const auto write = [&](int count) { return file.real->pMethods->xWrite(file.real, from, count, offset); };
  if (!file.disk) return write(bytes);
  const auto keep = [&](int count) {
    return file.disk->keep({.kind = Entry::Kind::write,
                            .file = file.kind,
                            .inode = file.inode,
                            .offset = offset,
                            .bytes = std::string(static_cast<const char*>(from), static_cast<std::size_t>(count))},
                           [&] { return write(count); });
  };
  const auto effect = file.disk->strike(Call::write, file.kind);
  if (!effect) return keep(bytes);
  if (*effect == Effect::io_error) return SQLITE_IOERR_WRITE;
  if (*effect == Effect::short_write && bytes > 1) keep(bytes / 2);
  return SQLITE_FULL;
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  const auto& file = file_of(base);
  if (const int code = fails(file, Call::truncate, SQLITE_IOERR_TRUNCATE)) return code;
  const auto truncate = [&] { return file.real->pMethods->xTruncate(file.real, size); };
  if (!file.disk) return truncate();
  return file.disk->keep({.kind = Entry::Kind::truncate, .file = file.kind, .inode = file.inode, .offset = size}, truncate);
}

int sync_file(sqlite3_file* base, int) {
  auto& file = file_of(base);
  if (!file.disk) return SQLITE_OK;
  const auto begun = file.disk->now();
  const auto effect = file.disk->strike(Call::sync, file.kind);
  const int code = effect && *effect != Effect::silence ? SQLITE_IOERR_FSYNC : SQLITE_OK;
  const auto done = [] { return SQLITE_OK; };
  file.disk->keep(
      {.kind = effect ? Entry::Kind::failed_sync : Entry::Kind::sync, .file = file.kind, .inode = file.inode, .begun = begun},
      done);
  if (code || !file.makes_durable_name) return code;
  file.makes_durable_name = false;
  return file.disk->keep({.kind = Entry::Kind::sync_directory}, done);
}

int file_size(sqlite3_file* base, sqlite3_int64* size) {
  return file_of(base).real->pMethods->xFileSize(file_of(base).real, size);
}
int lock_file(sqlite3_file* base, int level) {
  if (const int code = fails(file_of(base), Call::lock, SQLITE_IOERR_LOCK)) return code;
  return file_of(base).real->pMethods->xLock(file_of(base).real, level);
}
int unlock_file(sqlite3_file* base, int level) { return file_of(base).real->pMethods->xUnlock(file_of(base).real, level); }
int check_reserved_lock(sqlite3_file* base, int* held) {
  return file_of(base).real->pMethods->xCheckReservedLock(file_of(base).real, held);
}
int control_file(sqlite3_file* base, int what, void* argument) {
  return file_of(base).real->pMethods->xFileControl(file_of(base).real, what, argument);
}
int sector_size(sqlite3_file* base) { return file_of(base).real->pMethods->xSectorSize(file_of(base).real); }
int characteristics(sqlite3_file* base) { return file_of(base).real->pMethods->xDeviceCharacteristics(file_of(base).real); }

int map_shared(sqlite3_file* base, int region, int bytes, int extend, void volatile** at) {
  const auto& file = file_of(base);
  if (const int code = fails(file, Call::share, SQLITE_IOERR_SHMMAP)) return code;
  return file.real->pMethods->xShmMap(file.real, region, bytes, extend, at);
}
int lock_shared(sqlite3_file* base, int offset, int count, int flags) {
  // Letting go never fails, as in the system.
  if ((flags & SQLITE_SHM_LOCK) != 0)
    if (const int code = fails(file_of(base), Call::lock, SQLITE_IOERR_SHMLOCK)) return code;
  return file_of(base).real->pMethods->xShmLock(file_of(base).real, offset, count, flags);
}
void shared_barrier(sqlite3_file* base) { file_of(base).real->pMethods->xShmBarrier(file_of(base).real); }
int unmap_shared(sqlite3_file* base, int remove) { return file_of(base).real->pMethods->xShmUnmap(file_of(base).real, remove); }
int fetch_pages(sqlite3_file* base, sqlite3_int64 offset, int bytes, void** at) {
  return file_of(base).real->pMethods->xFetch(file_of(base).real, offset, bytes, at);
}
int unfetch_pages(sqlite3_file* base, sqlite3_int64 offset, void* at) {
  if (const auto& seen = RecordingVfs::installed().news_seen; seen && !at) seen();
  return file_of(base).real->pMethods->xUnfetch(file_of(base).real, offset, at);
}

constexpr sqlite3_io_methods kMethods = {
    3,           close_file,     read_file,           write_file,   truncate_file, sync_file,       file_size,
    lock_file,   unlock_file,    check_reserved_lock, control_file, sector_size,   characteristics, map_shared,
    lock_shared, shared_barrier, unmap_shared,        fetch_pages,  unfetch_pages};

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags) {
  auto& file = file_of(base);
  file = {};
  file.real = reinterpret_cast<sqlite3_file*>(&file + 1);
  file.disk = path ? RecordingVfs::installed().find(path) : nullptr;
  file.kind = kind_of(flags);
  if (const int code = fails(file, Call::open, SQLITE_CANTOPEN)) return code;
  if (const int code = real_of(vfs)->xOpen(real_of(vfs), path, file.real, flags, out_flags)) return code;
  if (file.disk) file.inode = file.disk->open(std::string(name_of(path)), file.kind);
  file.makes_durable_name =
      (flags & SQLITE_OPEN_CREATE) && (file.kind == FileKind::wal || file.kind == FileKind::rollback_journal);
  file.base.pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  auto* const disk = RecordingVfs::installed().find(path);
  if (disk && disk->strike(Call::remove, FileKind::other)) return SQLITE_IOERR_DELETE;
  if (const int code = real_of(vfs)->xDelete(real_of(vfs), path, 0)) return code;
  if (!disk) return SQLITE_OK;
  disk->removed(std::string(name_of(path)));
  if (sync_directory) disk->keep({.kind = Entry::Kind::sync_directory}, [] { return SQLITE_OK; });
  return SQLITE_OK;
}

}  // namespace

RecordingVfs& RecordingVfs::installed() {
  static RecordingVfs vfs;
  return vfs;
}

RecordingVfs::RecordingVfs() : vfs_(std::make_unique<sqlite3_vfs>()) {
  auto* const real = sqlite3_vfs_find(nullptr);
  *vfs_ = *real;
  vfs_->pNext = nullptr;
  vfs_->zName = "recording";
  vfs_->szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  vfs_->pAppData = real;
  vfs_->xOpen = open_file;
  vfs_->xDelete = delete_file;
  sqlite3_vfs_register(vfs_.get(), 1);
}

RecordingVfs::~RecordingVfs() { sqlite3_vfs_unregister(vfs_.get()); }

void RecordingVfs::attach(Disk& disk) {
  const std::lock_guard hold(mutex_);
  disks_.push_back(&disk);
}

void RecordingVfs::detach(Disk& disk) {
  const std::lock_guard hold(mutex_);
  std::erase(disks_, &disk);
}

Disk* RecordingVfs::find(const std::string& path) {
  const std::lock_guard hold(mutex_);
  const auto at = std::ranges::find_if(disks_, [&path](const Disk* disk) { return path.starts_with(disk->directory() + "/"); });
  return at == disks_.end() ? nullptr : *at;
}

}  // namespace disk
