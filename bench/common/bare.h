#pragma once
// The bare limits that figures are measured against: what the disk and the loopback socket cost without Outlast.
#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "bench/common/fd.h"

namespace bench {

// One table, one small row per commit, with the pragmas of the store (WAL, synchronous=FULL).
class BareDatabase {
 public:
  explicit BareDatabase(const std::string& path);
  ~BareDatabase();
  BareDatabase(const BareDatabase&) = delete;
  BareDatabase& operator=(const BareDatabase&) = delete;
  void commit_row(std::string_view data);
  // Leaves several writers to SQLite itself: its waiting for the lock, its checkpoints.
  void leave_to_sqlite(int busy_ms);
  // As the store's checkpoint thread does it: not on the clock of a commit, and the log's file is used again after it.
  void checkpoint_if_due();

 private:
  void run(sqlite3_stmt* statement);
  sqlite3* db_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  int wal_pages_ = 0;
};

// A growing file, each append synced.
class BareFile {
 public:
  explicit BareFile(const std::string& path);
  void append_synced(std::string_view data);

 private:
  Fd fd_;
};

// A thread that sends back what it gets, as one blocking read and one write.
class BareEcho {
 public:
  BareEcho();
  ~BareEcho();
  BareEcho(const BareEcho&) = delete;
  BareEcho& operator=(const BareEcho&) = delete;
  void round_trip(std::string_view message);

 private:
  void serve(Fd listener);
  Fd client_;
  std::thread thread_;
};

}  // namespace bench
