#include "store/doorbell.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"

namespace store {

Doorbell::Doorbell(std::string path) : path_(std::move(path)), fd_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) throw base::Broken("cannot open " + path_ + ": " + std::strerror(errno));
}

Doorbell::~Doorbell() { close(fd_); }

void Doorbell::ring(std::int64_t number) {
  // A full disk may refuse even this; then the watchers' poll finds the rows.
  [[maybe_unused]] const auto written = pwrite(fd_, &number, sizeof number, 0);
}

std::int64_t Doorbell::last() const {
  std::int64_t number = 0;
  if (pread(fd_, &number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) return 0;
  return number;
}

BellWatch::BellWatch(boost::asio::io_context& io, std::vector<const Doorbell*> bells) : bells_(std::move(bells)), timer_(io) {
  for (const auto* bell : bells_) seen_.push_back(bell->last());
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return;
  for (const auto* bell : bells_) watches_.push_back(inotify_add_watch(fd, bell->path().c_str(), IN_MODIFY));
  inotify_.emplace(io, fd);
}

std::uint32_t BellWatch::drain() {
  std::uint32_t rung = 0;
  alignas(inotify_event) char buffer[4096];
  for (;;) {
    const auto n = read(inotify_->native_handle(), buffer, sizeof buffer);
    if (n <= 0) return rung;
    for (const char* at = buffer; at < buffer + n;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      at += sizeof event + event.len;
      for (std::size_t i = 0; i < watches_.size(); ++i)
        if (event.wd == watches_[i] || (event.mask & IN_Q_OVERFLOW)) rung |= 1u << i;
    }
  }
}

std::uint32_t BellWatch::look() {
  std::uint32_t rung = 0;
  for (std::size_t i = 0; i < bells_.size(); ++i)
    if (const auto now = bells_[i]->last(); std::exchange(seen_[i], now) != now) rung |= 1u << i;
  return rung;
}

aio::Task<std::uint32_t> BellWatch::rung() {
  for (;;) {
    if (const auto rung = inotify_ ? drain() : look()) co_return rung;
    if (inotify_) {
      co_await inotify_->async_wait(boost::asio::posix::stream_descriptor::wait_read, boost::asio::use_awaitable);
    } else {
      timer_.expires_after(std::chrono::milliseconds(50));
      co_await timer_.async_wait(boost::asio::use_awaitable);
    }
  }
}

}  // namespace store
