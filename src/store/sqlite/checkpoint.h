#pragma once
// Moves what is committed from the write-ahead log into the file, on a thread of its own beside the writer's.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "store/sqlite/database.h"

namespace store::sqlite {

// One checkpoint on `db` while others may commit, without the home's write lock. `pin` is a second connection that does nothing
// else. SQLite before 3.51.3 loses commits when the log is started anew just as a checkpoint begins that finds it wholly moved
// (sqlite.org/wal.html, "The WAL-Reset Bug"). A reader closes that gap: where the log is not wholly moved, an open snapshot
// keeps it from being started anew; where it is, the snapshot holds the lock without which nothing is moved.
// Throws base::Broken; both connections are of no use then.
void checkpoint_beside_writers(Database& db, Database& pin);

class Checkpointer {
 public:
  explicit Checkpointer(std::string path);
  ~Checkpointer();  // waits for the checkpoint that is under way
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // Any thread. Several requests during a checkpoint are one.
  void request();

 private:
  void loop();
  void checkpoint();

  const std::string path_;

  // the checkpoint thread only
  std::unique_ptr<Database> db_, pin_;
  bool failing_ = false;

  // protected by mutex_
  std::mutex mutex_;
  std::condition_variable wake_;
  bool due_ = false, closing_ = false;

  std::thread thread_;
};

}  // namespace store::sqlite
