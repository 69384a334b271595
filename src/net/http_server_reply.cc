// How a connection answers: whole responses, chunked streams, and noticing that the client has gone.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <stdexcept>
#include <utility>

#include "base/limits.h"
#include "net/http_server_connection.h"
#include "net/http_server_wire.h"

namespace net {

namespace asio = boost::asio;

namespace {

constexpr std::uint32_t kYieldBytes = 256 << 10;  // a fast reader's catch-up gives way to others this often

// One write: the parts, with a chunk's frame around them where wanted, and how much of it is sent.
class Outgoing {
 public:
  enum class State { done, blocked, broken };

  Outgoing(std::span<const std::string_view> parts, bool chunk) : parts_(parts) {
    std::size_t bytes = 0;
    for (const auto part : parts) bytes += part.size();
    total_ = bytes;
    if (!chunk || !bytes) return;
    auto* const end = std::to_chars(prefix_.data(), prefix_.data() + prefix_.size() - 2, bytes, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    prefix_bytes_ = static_cast<std::size_t>(end + 2 - prefix_.data());
    suffix_ = "\r\n";
    total_ += prefix_bytes_ + suffix_.size();
  }

  std::size_t total() const { return total_; }
  bool torn() const { return sent_ > 0 && sent_ < total_; }

  State send(int socket) {
    while (sent_ < total_) {
      std::array<iovec, 64> gathered;
      msghdr message{};
      message.msg_iov = gathered.data();
      message.msg_iovlen = gather(gathered);
      const auto sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0) {
        sent_ += static_cast<std::size_t>(sent);
      } else if (errno == EAGAIN) {
        return State::blocked;
      } else if (errno != EINTR) {
        return State::broken;
      }
    }
    return State::done;
  }

 private:
  // What is not yet sent, as far as there is room.
  std::size_t gather(std::span<iovec> into) const {
    std::size_t count = 0;
    std::size_t skip = sent_;
    const auto add = [&](std::string_view part) {
      const auto skipped = std::min(skip, part.size());
      skip -= skipped;
      part.remove_prefix(skipped);
      if (part.empty() || count == into.size()) return;
      into[count++] = {const_cast<char*>(part.data()), part.size()};  // sendmsg only reads
    };
    add({prefix_.data(), prefix_bytes_});
    for (const auto part : parts_) add(part);
    add(suffix_);
    return count;
  }

  std::span<const std::string_view> parts_;
  std::array<char, 18> prefix_{};
  std::size_t prefix_bytes_ = 0;
  std::string_view suffix_;
  std::size_t total_ = 0;
  std::size_t sent_ = 0;
};

}  // namespace

void HttpConnection::start_answer(Phase next) {
  // Not an ASSERT: a handler whose part was cancelled in the middle of an answer gets here by what a client did.
  if (phase_ != Phase::handling) throw std::logic_error("the request was answered already");
  phase_ = next;
}

aio::Task<> HttpConnection::send(HttpResponse response) {
  start_answer(Phase::sending);
  if (shared_.draining || says_close(response.headers)) keep_ = false;
  ResponseHead head{.status = response.status, .content_type = response.content_type, .headers = response.headers};
  if (response.content_type.empty() || bodiless(response.status)) response.body.clear();
  if (bodiless(response.status)) head.body = ResponseHead::Body::none;
  head.body_bytes = response.body.size();
  if (!keep_) head.connection = ResponseHead::Connection::close;
  if (keep_ && http_1_0_) head.connection = ResponseHead::Connection::keep_alive;
  head.unix_seconds = std::time(nullptr);
  const auto text = head_text(head);

  auto body = head_ ? std::string_view() : std::string_view(response.body);
  std::array<std::string_view, 2> parts{text, {}};
  for (;;) {
    // Each piece has a deadline of its own, so that a large body may take longer than a small one.
    parts[1] = body.substr(0, base::limits::kStreamWriteBytes);
    body.remove_prefix(parts[1].size());
    const bool sent = co_await transmit(Framing::none, parts);
    if (!sent) co_return;
    if (body.empty()) break;
    parts[0] = {};
  }
  phase_ = Phase::answered;
}

aio::Task<bool> HttpConnection::begin(int status, std::string content_type, std::vector<HttpHeader> headers) {
  start_answer(Phase::streaming);
  if (gone_) co_return false;
  if (shared_.draining || http_1_0_ || says_close(headers)) keep_ = false;
  ResponseHead head{.status = status, .content_type = content_type, .headers = headers};
  head.body = http_1_0_ ? ResponseHead::Body::until_close : ResponseHead::Body::chunked;
  if (!keep_) head.connection = ResponseHead::Connection::close;
  head.unix_seconds = std::time(nullptr);
  const auto text = head_text(head);
  const std::array<std::string_view, 1> parts{text};
  const bool sent = co_await transmit(Framing::none, parts);
  if (!sent) co_return false;
  if (head_) {
    // The head is the whole answer; "gone" tells the handler that nobody takes a body.
    phase_ = Phase::answered;
    gone_ = true;
    co_return false;
  }
  rest_.shrink_to_fit();
  watch();
  co_return !gone_;
}

aio::Task<bool> HttpConnection::write(std::span<const std::string_view> parts) {
  if (phase_ != Phase::streaming && !gone_) throw std::logic_error("write outside of a stream");
  return transmit(http_1_0_ ? Framing::none : Framing::chunk, parts);
}

aio::Task<> HttpConnection::finish() {
  if (gone_) co_return;
  if (phase_ != Phase::streaming) throw std::logic_error("finish outside of a stream");
  if (!http_1_0_) {
    static constexpr std::array<std::string_view, 1> kEnd{"0\r\n\r\n"};
    const bool sent = co_await transmit(Framing::none, kEnd);
    if (!sent) co_return;
  }
  phase_ = Phase::answered;
}

// Sends all of it. The usual case is one system call and no wait at all. False: the connection is broken or cut.
aio::Task<bool> HttpConnection::transmit(Framing framing, std::span<const std::string_view> parts) {
  // Half a chunk must never be followed by anything else: whatever ends this task's wait, the connection goes with it.
  struct Whole {
    HttpConnection& of;
    Outgoing out;
    ~Whole() {
      if (out.torn()) of.cut();
    }
  } whole{*this, Outgoing(parts, framing == Framing::chunk)};

  if (gone_ && phase_ != Phase::sending) co_return false;
  for (;;) {
    if (!socket_.is_open()) co_return false;
    const auto state = whole.out.send(socket_.native_handle());
    if (state == Outgoing::State::done) break;
    if (state == Outgoing::State::broken) {
      lose();
      co_return false;
    }
    unyielded_bytes_ = 0;
    if (!armed()) shared_.deadlines.arm(*this, Deadlines::Kind::write);
    co_await socket_.async_wait(Tcp::socket::wait_write, asio::as_tuple(asio::use_awaitable));
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
      disarm();
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }
  disarm();
  unyielded_bytes_ += static_cast<std::uint32_t>(whole.out.total());
  if (unyielded_bytes_ >= kYieldBytes) {
    unyielded_bytes_ = 0;
    co_await asio::post(asio::use_awaitable);
  }
  co_return true;
}

void HttpConnection::on_gone(std::function<void()> callback) {
  on_gone_ = std::move(callback);
  if (gone_) {
    tell_gone();
  } else {
    watch();
  }
}

// Waits on the raw socket, so that nothing is read and a write may be pending at the same time.
void HttpConnection::watch() {
  if (watching_ || gone_ || !socket_.is_open()) return;
  watching_ = true;
  socket_.async_wait(Tcp::socket::wait_read,
                     [self = shared_from_this(), turn = turn_](const boost::system::error_code& ec) { self->watched(turn, ec); });
}

void HttpConnection::watched(std::uint32_t turn, const boost::system::error_code& ec) {
  if (turn != turn_ || !watching_) return;
  watching_ = false;
  if (ec || !socket_.is_open()) return;
  char byte = 0;
  const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) return;  // the next request is here already; a close behind it cannot be seen
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    watch();
  } else if (got == 0 && phase_ == Phase::handling) {
    // Closed for sending at least: a client that still reads gets the answer if the handler sends one.
    gone_ = true;
    tell_gone();
  } else {
    lose();
  }
}

// What belongs to the request that is over becomes void.
void HttpConnection::unwatch() {
  ++turn_;
  on_gone_ = nullptr;
  boost::system::error_code ignored;
  if (std::exchange(watching_, false) && socket_.is_open()) socket_.cancel(ignored);
}

void HttpConnection::cut() {
  gone_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void HttpConnection::lose() {
  cut();
  tell_gone();
}

// Never from inside a call of the handler: the callback may end what the handler is in the middle of.
void HttpConnection::tell_gone() {
  if (!on_gone_) return;
  asio::post(socket_.get_executor(), [self = shared_from_this(), turn = turn_] {
    if (turn != self->turn_) return;
    if (const auto callback = std::exchange(self->on_gone_, nullptr)) callback();
  });
}

}  // namespace net
