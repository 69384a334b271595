#pragma once
// The lines of standard input as they come, while the loop does other things.
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "aio/notifier.h"

namespace cli {

// Io thread. Standard input keeps its flags: it is shared with the shell, and often with standard output.
class LineInput {
 public:
  explicit LineInput(boost::asio::io_context& io);
  ~LineInput();
  LineInput(const LineInput&) = delete;
  LineInput& operator=(const LineInput&) = delete;

  // Reads until the end of input, at most a bounded number of lines ahead. Until it is cancelled.
  aio::Task<> run();

  // The next line without its newline; nothing yet, or at the end nothing more.
  const std::string* front() const { return lines_.empty() ? nullptr : &lines_.front(); }
  std::string take();
  // Takes the first line that reads `word`, blanks around it aside, wherever it stands. False: there is none.
  bool take_word(std::string_view word);
  // Puts lines that came too early out of the way, and back before those that have come since.
  std::deque<std::string> set_aside() { return std::exchange(lines_, {}); }
  void put_back(std::deque<std::string> lines);
  bool at_end() const { return ended_ && lines_.empty(); }

  // Told when a line or the end has come.
  aio::Notifier& changed() { return changed_; }

 private:
  void read_some();
  void split();

  std::optional<boost::asio::posix::stream_descriptor> ready_;  // an epoll of standard input; none: a file, always ready
  aio::Notifier changed_, taken_;
  std::string rest_;  // of a line that has not ended
  std::deque<std::string> lines_;
  bool ended_ = false;
};

}  // namespace cli
