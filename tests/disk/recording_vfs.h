#pragma once
// SQLite's way to the disk, in this process: the ordinary one, with a Disk beside each directory that is attached. Nothing is
// really synced: what a sync is worth is decided by the model (survivors.h), and a test of a thousand power cuts has no time.
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/disk/disk.h"

struct sqlite3_vfs;

namespace disk {

class RecordingVfs {
 public:
  // The one of this process, from now on SQLite's default.
  static RecordingVfs& installed();
  RecordingVfs(const RecordingVfs&) = delete;
  RecordingVfs& operator=(const RecordingVfs&) = delete;

  // Files in the disk's directory that are opened from now on belong to it. It must outlive them.
  void attach(Disk& disk);
  void detach(Disk& disk);
  Disk* find(const std::string& path);

  // Called where a connection has just seen that another one committed, and before it acts on what it saw (SQLite gives up its
  // mapped pages then). For races that a test wants to happen.
  std::function<void()> news_seen;

 private:
  RecordingVfs();
  ~RecordingVfs();

  const std::unique_ptr<sqlite3_vfs> vfs_;
  std::mutex mutex_;  // protects disks_
  std::vector<Disk*> disks_;
};

}  // namespace disk
