#include "store/sqlite/wal_tail.h"

#include <sqlite3.h>

#include <cstdint>

namespace store::sqlite {

namespace {

constexpr int kIndexBytes = 32 * 1024;  // of a region of the wal-index
constexpr sqlite3_int64 kWalHeaderBytes = 32, kFrameHeaderBytes = 24;

// The first fields of the wal-index, in the machine's byte order.
struct IndexHeader {
  std::uint32_t version, unused, change;
  std::uint8_t initialized, big_endian;
  std::uint16_t page_bytes;  // 1: 65536
  std::uint32_t frames;      // that count
};

sqlite3_file* file_of(sqlite3* db, int which) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db, "main", which, static_cast<void*>(&file)) != SQLITE_OK) return nullptr;
  return file && file->pMethods ? file : nullptr;
}

}  // namespace

bool spoil_wal_tail(sqlite3* db) {
  auto* const database = file_of(db, SQLITE_FCNTL_FILE_POINTER);
  auto* const log = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
  if (!database || !log) return false;
  void volatile* index = nullptr;
  if (database->pMethods->xShmMap(database, 0, kIndexBytes, 0, &index) != SQLITE_OK || !index) return false;
  const auto& header = *static_cast<const volatile IndexHeader*>(index);
  const sqlite3_int64 page = header.page_bytes == 1 ? 65536 : header.page_bytes;
  if (!header.initialized || page < 512) return false;
  const auto end = kWalHeaderBytes + header.frames * (kFrameHeaderBytes + page);
  sqlite3_int64 size = 0;
  if (log->pMethods->xFileSize(log, &size) != SQLITE_OK) return false;
  constexpr char kNothing[kFrameHeaderBytes] = {};
  return size <= end || log->pMethods->xWrite(log, kNothing, sizeof kNothing, end) == SQLITE_OK;
}

}  // namespace store::sqlite
