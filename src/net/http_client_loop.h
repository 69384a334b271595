#pragma once
// libcurl's multi-socket interface on an Asio loop: libcurl says which sockets and which one timer to watch, the loop
// tells it what happened. Internal to the HTTP client.
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "net/curl_library.h"

namespace net {

// A transfer as the loop knows it: CURLOPT_PRIVATE of its easy handle.
class CurlTransfer {
 public:
  // Called once from inside the loop, when the transfer has ended by itself. Must not add or remove transfers.
  virtual void finished(CURLcode result) = 0;

 protected:
  ~CurlTransfer() = default;
};

// Io thread only. No call of it, and no callback out of it, blocks.
class CurlLoop {
 public:
  explicit CurlLoop(boost::asio::io_context& io);
  ~CurlLoop();  // every transfer must have been removed
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  CURLMcode add(CURL* easy);
  void remove(CURL* easy);
  std::size_t transfers() const { return transfers_; }

 private:
  struct Watch;
  struct Alarm;
  // Called by libcurl, through which no exception may pass.
  static int on_socket(CURL* easy, curl_socket_t socket, int wanted, void* self, void* watch) noexcept;
  static int on_timer(CURLM* multi, long timeout_ms, void* self) noexcept;
  void watch(curl_socket_t socket, int wanted);
  void forget(curl_socket_t socket);
  static void arm(const std::shared_ptr<Watch>& watch);
  static void ready(const std::shared_ptr<Watch>& watch, int wanted, int event);
  void act(curl_socket_t socket, int event);

  boost::asio::io_context& io_;
  CURLM* multi_;
  std::size_t transfers_ = 0;
  // Shared with the handlers of pending waits, which may run after a watch was given up and even after the loop is gone.
  std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  std::shared_ptr<Alarm> alarm_;
};

}  // namespace net
