#pragma once
// The queue of writers of one home: an advisory file lock taken before BEGIN IMMEDIATE. SQLite's own waiting starves a
// healthy process for seconds under contention; the kernel's queue does not, and it frees the lock of a dead holder.
#include <string>

namespace store {

class WriteLock {
 public:
  explicit WriteLock(const std::string& path);  // throws base::Broken
  ~WriteLock();
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

  // Blocks the calling thread.
  class Hold {
   public:
    explicit Hold(WriteLock& lock);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    WriteLock& lock_;
  };

 private:
  std::string path_;
  int fd_;
};

}  // namespace store
