#include "bench/common/http.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>

#include "bench/common/measure.h"

namespace bench {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Fd connect_loopback(std::uint16_t port) {
  Fd fd(static_cast<int>(check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")));
  const auto to = loopback(port);
  check(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), "connect");
  const int on = 1;
  check(setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  return fd;
}

Fd listen_loopback(std::uint16_t& port) {
  Fd fd(static_cast<int>(check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")));
  auto address = loopback(0);
  socklen_t size = sizeof address;
  check(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), "bind");
  check(listen(fd.get(), 4096), "listen");
  check(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  port = ntohs(address.sin_port);
  return fd;
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty())
    bytes.remove_prefix(static_cast<std::size_t>(check(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), "send")));
}

std::string_view Connection::receive(std::span<char> into) {
  for (;;) {
    const auto got = recv(fd_.get(), into.data(), into.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    return {into.data(), static_cast<std::size_t>(check(got, "recv"))};
  }
}

std::string Connection::exchange(std::string_view request) {
  send(request);
  static constexpr std::string_view kLength = "content-length: ";
  std::array<char, 16384> buffer;
  std::string answer;
  for (;;) {
    const auto bytes = receive(buffer);
    if (bytes.empty()) throw std::runtime_error("the server closed the connection without an answer: " + answer);
    answer += bytes;
    const auto head_end = answer.find("\r\n\r\n");
    if (head_end == std::string::npos) continue;
    const auto at = answer.find(kLength);
    if (at >= head_end) throw std::runtime_error("an answer without a content-length: " + answer.substr(0, head_end));
    if (answer.size() >= head_end + 4 + std::stoul(answer.substr(at + kLength.size(), 20))) return answer;
  }
}

std::string get_request(const std::string& target, std::string_view more_headers) {
  return "GET " + target + " HTTP/1.1\r\nhost: 127.0.0.1\r\n" + std::string(more_headers) + "\r\n";
}

std::string form_request(const std::string& target, const std::string& form, std::string_view more_headers) {
  return "POST " + target +
         " HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: " +
         std::to_string(form.size()) + "\r\n" + std::string(more_headers) + "\r\n" + form;
}

void IdScanner::feed(std::string_view bytes, const std::function<void(std::int64_t)>& found) {
  // A chunk's size line ends with a newline too, so an id line always follows one.
  static constexpr std::string_view kMark = "\nid: ";
  std::string joined;
  if (!rest_.empty()) {
    joined = std::move(rest_);
    joined += bytes;
    bytes = joined;
  }
  for (auto at = bytes.find(kMark); at != std::string_view::npos; at = bytes.find(kMark, at + 1)) {
    const auto end = bytes.find('\n', at + kMark.size());
    if (end == std::string_view::npos) break;
    std::int64_t index = 0;
    if (std::from_chars(bytes.data() + at + kMark.size(), bytes.data() + end, index).ec == std::errc{}) found(index);
  }
  // An id line that is not whole yet begins at the last newline.
  const auto last = bytes.rfind('\n');
  std::string rest(last == std::string_view::npos ? bytes : bytes.substr(last));
  rest_ = std::move(rest);
}

}  // namespace bench
