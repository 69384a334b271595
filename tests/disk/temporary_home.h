#pragma once
// A home that is gone when its test is over, and a disk's time of being attached to SQLite.
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "tests/disk/recording_vfs.h"

namespace disk {

class TemporaryHome {
 public:
  TemporaryHome() : path_((std::filesystem::temp_directory_path() / "outlast-disk-XXXXXX").string()) {
    if (!mkdtemp(path_.data())) throw base::Broken("no temporary directory");
  }
  ~TemporaryHome() {
    std::error_code ec;
    if (!kept_) std::filesystem::remove_all(path_, ec);
  }
  TemporaryHome(const TemporaryHome&) = delete;
  TemporaryHome& operator=(const TemporaryHome&) = delete;

  const std::string& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  std::string path_;
  bool kept_ = false;
};

class Attached {
 public:
  explicit Attached(Disk& disk) : disk_(disk) { RecordingVfs::installed().attach(disk); }
  ~Attached() { RecordingVfs::installed().detach(disk_); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  Disk& disk_;
};

}  // namespace disk
