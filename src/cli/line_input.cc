#include "cli/line_input.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/limits.h"
#include "base/text.h"

namespace cli {

namespace {
constexpr std::size_t kLinesAheadMax = 1'000;
constexpr std::size_t kLineBytesMax = base::limits::kEventBytesMax;  // a longer one comes in pieces, each too long for a prompt
}  // namespace

LineInput::LineInput(boost::asio::io_context& io) : changed_(io), taken_(io) {
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  if (poll < 0) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLHUP;
  // Asio would make standard input itself non-blocking; it gets the epoll's descriptor instead. A file cannot be polled.
  if (epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0)
    ready_.emplace(io, poll);
  else
    close(poll);
}

LineInput::~LineInput() = default;

std::string LineInput::take() {
  auto line = std::move(lines_.front());
  lines_.pop_front();
  taken_.notify_all();
  return line;
}

bool LineInput::take_word(std::string_view word) {
  const auto at = std::ranges::find_if(lines_, [word](const std::string& line) { return base::trim(line) == word; });
  if (at == lines_.end()) return false;
  lines_.erase(at);
  taken_.notify_all();
  return true;
}

void LineInput::put_back(std::deque<std::string> lines) {
  lines_.insert(lines_.begin(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
}

aio::Task<> LineInput::run() {
  while (!ended_) {
    while (lines_.size() >= kLinesAheadMax) co_await taken_.wait();
    if (ready_) co_await ready_->async_wait(boost::asio::posix::stream_descriptor::wait_read, boost::asio::use_awaitable);
    read_some();
    if (!lines_.empty() || ended_) changed_.notify_all();
  }
}

void LineInput::read_some() {
  char buffer[64 << 10];
  const auto n = read(STDIN_FILENO, buffer, sizeof buffer);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n > 0) rest_.append(buffer, static_cast<std::size_t>(n));
  ended_ = n <= 0;
  split();
}

void LineInput::split() {
  std::size_t at = 0;
  for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', at)) {
    lines_.push_back(rest_.substr(at, end - at));
    if (lines_.back().ends_with('\r')) lines_.back().pop_back();
    at = end + 1;
  }
  rest_.erase(0, at);
  if ((ended_ && !rest_.empty()) || rest_.size() > kLineBytesMax) lines_.push_back(std::exchange(rest_, {}));
}

}  // namespace cli
