#pragma once
// Standard input and output as lines on the io loop, whatever they are: pipes, sockets, terminals, files.
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>
#include <string>

#include "aio/notifier.h"
#include "aio/offload.h"
#include "aio/task.h"

namespace cli {

// A descriptor that was put into non-blocking mode, and is put back: others may share it.
class BorrowedDescriptor {
 public:
  BorrowedDescriptor(boost::asio::io_context& io, int fd);
  ~BorrowedDescriptor();
  BorrowedDescriptor(const BorrowedDescriptor&) = delete;
  BorrowedDescriptor& operator=(const BorrowedDescriptor&) = delete;

  boost::asio::posix::stream_descriptor* stream() { return stream_ ? &*stream_ : nullptr; }  // null: a file, which cannot be waited for
  int fd() const { return fd_; }

 private:
  const int fd_;
  int flags_ = 0;
  std::optional<boost::asio::posix::stream_descriptor> stream_;
};

class LineReader {
 public:
  // `files` outlives it.
  LineReader(boost::asio::io_context& io, aio::Offload& files, int fd) : in_(io, fd), files_(files) {}

  struct Line {
    std::string text;
    bool too_long = false;  // it was longer than the bound, and is left out
  };
  // Nothing at the end of the input.
  aio::Task<std::optional<Line>> next(std::size_t bytes_max);

 private:
  aio::Task<std::size_t> read_some(char* to, std::size_t bytes);

  BorrowedDescriptor in_;
  aio::Offload& files_;
  std::string buffer_;
  std::size_t searched_ = 0;
  bool skipping_ = false, ended_ = false;
};

class LineWriter {
 public:
  LineWriter(boost::asio::io_context& io, aio::Offload& files, int fd) : out_(io, fd), files_(files), free_(io) {}

  // One after the other, however many ask. False: nobody reads any more.
  aio::Task<bool> write(std::string line);

 private:
  BorrowedDescriptor out_;
  aio::Offload& files_;
  aio::Notifier free_;
  bool writing_ = false, broken_ = false;
};

}  // namespace cli
