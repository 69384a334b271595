#include "store/write_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace store {

WriteLock::WriteLock(const std::string& path) : path_(path), fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) throw base::Broken("cannot open " + path + ": " + std::strerror(errno));
}

WriteLock::~WriteLock() { close(fd_); }

WriteLock::Hold::Hold(WriteLock& lock) : lock_(lock) {
  while (flock(lock_.fd_, LOCK_EX) != 0)
    if (errno != EINTR) throw base::Broken("cannot lock " + lock_.path_ + ": " + std::strerror(errno));
}

WriteLock::Hold::~Hold() { flock(lock_.fd_, LOCK_UN); }

}  // namespace store
