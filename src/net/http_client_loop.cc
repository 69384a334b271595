#include "net/http_client_loop.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "base/error.h"

namespace net {

namespace asio = boost::asio;

// libcurl owns the socket; the descriptor only borrows it for readiness and is always released, never closed.
struct CurlLoop::Watch {
  Watch(CurlLoop* owner, curl_socket_t fd) : loop(owner), socket(fd), descriptor(owner->io_, fd) {}
  CurlLoop* loop;  // null once given up
  curl_socket_t socket;
  asio::posix::stream_descriptor descriptor;
  int wanted = CURL_POLL_NONE;
  bool reading = false;
  bool writing = false;
};

struct CurlLoop::Alarm {
  explicit Alarm(CurlLoop* owner) : loop(owner), timer(owner->io_) {}
  CurlLoop* loop;  // null once the loop is gone
  asio::steady_timer timer;
  std::uint64_t generation = 0;  // an expiry of an older generation was re-armed or taken back after it fired
};

CurlLoop::CurlLoop(asio::io_context& io) : io_(io) {
  // Counted by libcurl and thread-safe in this build, so that each loop initialises what it needs.
  if (curl().global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw base::Broken("libcurl cannot be initialised");
  multi_ = curl().multi_init();
  if (!multi_) throw base::Broken("libcurl cannot be initialised");
  alarm_ = std::make_shared<Alarm>(this);
  curl().multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl().multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl().multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl().multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // HTTP/2, but a connection for each transfer under way: in this libcurl a paused stream stops the streams beside it
  // on the same connection, and one run's slow reader must not stall another run.
  curl().multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

CurlLoop::~CurlLoop() {
  ASSERT(transfers_ == 0);
  curl().multi_cleanup(multi_);
  while (!watches_.empty()) forget(watches_.begin()->first);
  alarm_->loop = nullptr;
  alarm_->timer.cancel();
  curl().global_cleanup();
}

CURLMcode CurlLoop::add(CURL* easy) {
  const auto code = curl().multi_add_handle(multi_, easy);
  if (code == CURLM_OK) ++transfers_;
  return code;
}

void CurlLoop::remove(CURL* easy) {
  ASSERT(curl().multi_remove_handle(multi_, easy) == CURLM_OK);
  --transfers_;
}

int CurlLoop::on_socket(CURL*, curl_socket_t socket, int wanted, void* self, void*) noexcept {
  auto* loop = static_cast<CurlLoop*>(self);
  if (wanted == CURL_POLL_REMOVE)
    loop->forget(socket);
  else
    loop->watch(socket, wanted);
  return 0;
}

int CurlLoop::on_timer(CURLM*, long timeout_ms, void* self) noexcept {
  const auto alarm = static_cast<CurlLoop*>(self)->alarm_;
  const auto generation = ++alarm->generation;
  if (timeout_ms < 0) {
    alarm->timer.cancel();
    return 0;
  }
  alarm->timer.expires_after(std::chrono::milliseconds(timeout_ms));
  alarm->timer.async_wait([alarm, generation](boost::system::error_code ec) {
    if (ec || !alarm->loop || alarm->generation != generation) return;
    alarm->loop->act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void CurlLoop::watch(curl_socket_t socket, int wanted) {
  auto& entry = watches_[socket];
  if (!entry) entry = std::make_shared<Watch>(this, socket);
  entry->wanted = wanted;
  arm(entry);
}

void CurlLoop::forget(curl_socket_t socket) {
  const auto at = watches_.find(socket);
  if (at == watches_.end()) return;
  at->second->loop = nullptr;
  at->second->descriptor.release();
  watches_.erase(at);
}

void CurlLoop::arm(const std::shared_ptr<Watch>& watch) {
  if ((watch->wanted & CURL_POLL_IN) && !watch->reading) {
    watch->reading = true;
    watch->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [watch](boost::system::error_code ec) {
      watch->reading = false;
      ready(watch, CURL_POLL_IN, ec ? CURL_CSELECT_ERR : CURL_CSELECT_IN);
    });
  }
  if ((watch->wanted & CURL_POLL_OUT) && !watch->writing) {
    watch->writing = true;
    watch->descriptor.async_wait(asio::posix::stream_descriptor::wait_write, [watch](boost::system::error_code ec) {
      watch->writing = false;
      ready(watch, CURL_POLL_OUT, ec ? CURL_CSELECT_ERR : CURL_CSELECT_OUT);
    });
  }
}

void CurlLoop::ready(const std::shared_ptr<Watch>& watch, int wanted, int event) {
  // libcurl may have lost interest while the wait was pending: a paused transfer reads nothing.
  if (!watch->loop || !(watch->wanted & wanted)) return;
  watch->loop->act(watch->socket, event);
  if (watch->loop) arm(watch);
}

void CurlLoop::act(curl_socket_t socket, int event) {
  int running = 0;
  ASSERT(curl().multi_socket_action(multi_, socket, event, &running) == CURLM_OK);
  int waiting = 0;
  while (const auto* message = curl().multi_info_read(multi_, &waiting)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto result = message->data.result;
    char* transfer = nullptr;
    curl().easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    reinterpret_cast<CurlTransfer*>(transfer)->finished(result);
  }
}

}  // namespace net
