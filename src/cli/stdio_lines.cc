#include "cli/stdio_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace cli {

namespace {

constexpr std::size_t kReadBytes = 64 << 10;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

BorrowedDescriptor::BorrowedDescriptor(boost::asio::io_context& io, int fd) : fd_(fd), flags_(fcntl(fd, F_GETFL)) {
  boost::system::error_code ec;
  stream_.emplace(io);
  stream_->assign(fd, ec);
  if (!ec) stream_->non_blocking(true, ec);
  if (!ec) return;
  if (stream_->is_open()) stream_->release();
  stream_.reset();
}

BorrowedDescriptor::~BorrowedDescriptor() {
  if (!stream_) return;
  stream_->release();
  if (flags_ >= 0) fcntl(fd_, F_SETFL, flags_);
}

aio::Task<std::size_t> LineReader::read_some(char* to, std::size_t bytes) {
  if (auto* stream = in_.stream()) {
    const auto [ec, count] = co_await stream->async_read_some(boost::asio::buffer(to, bytes), boost::asio::as_tuple(boost::asio::use_awaitable));
    if (ec == boost::asio::error::operation_aborted) throw boost::system::system_error(ec);
    co_return ec ? 0 : count;
  }
  const auto count = co_await files_.run([fd = in_.fd(), to, bytes] { return ::read(fd, to, bytes); });
  co_return count > 0 ? static_cast<std::size_t>(count) : 0;
}

aio::Task<std::optional<LineReader::Line>> LineReader::next(std::size_t bytes_max) {
  for (;;) {
    const auto end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      Line line{.text = buffer_.substr(0, end), .too_long = skipping_ || end > bytes_max};
      buffer_.erase(0, end + 1);
      searched_ = 0;
      skipping_ = false;
      if (line.too_long) line.text.clear();
      co_return line;
    }
    if (buffer_.size() > bytes_max) {
      skipping_ = true;
      buffer_.clear();
    }
    searched_ = buffer_.size();
    if (ended_) break;
    const auto before = buffer_.size();
    buffer_.resize(before + kReadBytes);
    const auto count = co_await read_some(buffer_.data() + before, kReadBytes);
    buffer_.resize(before + count);
    ended_ = count == 0;
  }
  // A last line without newline counts.
  if (buffer_.empty() && !skipping_) co_return std::nullopt;
  Line line{.text = std::exchange(buffer_, {}), .too_long = std::exchange(skipping_, false)};
  searched_ = 0;
  co_return line;
}

aio::Task<bool> LineWriter::write(std::string line) {
  while (writing_) co_await free_.wait();
  if (broken_) co_return false;
  writing_ = true;
  line += '\n';
  bool written = true;
  if (auto* stream = out_.stream()) {
    const auto [ec, count] = co_await boost::asio::async_write(*stream, boost::asio::buffer(line), boost::asio::as_tuple(boost::asio::use_awaitable));
    written = !ec;
  } else {
    written = co_await files_.run([fd = out_.fd(), &line] { return write_all(fd, line); });
  }
  broken_ = !written;
  writing_ = false;
  free_.notify_all();
  co_return written;
}

}  // namespace cli
