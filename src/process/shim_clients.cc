#include "process/shim_clients.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace process {

namespace {
constexpr std::size_t kClientsMax = 64;
constexpr std::size_t kRequestBytesMax = 2 << 20;
constexpr std::size_t kUnsentBytesMax = 1 << 20;  // a client that reads nothing is dropped
}  // namespace

ShimClients::ShimClients(const std::string& socket_name, Answer answer) : answer_(std::move(answer)) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, socket_name.c_str(), sizeof address.sun_path - 1);
  unlink(socket_name.c_str());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 16) != 0)
    throw base::Broken("the shim's socket: " + std::string(std::strerror(errno)));
}

ShimClients::~ShimClients() {
  for (const auto& client : clients_) close(client.fd);
  close(listener_);
}

void ShimClients::add_to(std::vector<pollfd>& polled) const {
  polled.push_back({listener_, POLLIN, 0});
  for (const auto& client : clients_)
    polled.push_back({client.fd, static_cast<short>(client.unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0});
}

void ShimClients::serve() {
  accept_all();
  for (auto& client : clients_) {
    receive(client);
    send(client);
  }
  std::erase_if(clients_, [](const Client& client) {
    if (client.gone) close(client.fd);
    return client.gone;
  });
}

void ShimClients::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (clients_.size() < kClientsMax)
      clients_.push_back({.fd = fd, .received = {}, .unsent = {}});
    else
      close(fd);
  }
}

void ShimClients::receive(Client& client) {
  std::array<char, 16 << 10> buffer;
  for (;;) {
    const auto got = recv(client.fd, buffer.data(), buffer.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) client.gone = true;
    if (got <= 0) break;
    client.received.append(buffer.data(), static_cast<std::size_t>(got));
    if (client.received.size() > kRequestBytesMax) client.gone = true;
  }
  for (auto end = client.received.find('\n'); end != std::string::npos; end = client.received.find('\n')) {
    client.unsent += answer_(client.received.substr(0, end)) + "\n";
    client.received.erase(0, end + 1);
  }
}

void ShimClients::send(Client& client) {
  while (!client.unsent.empty()) {
    const auto sent = ::send(client.fd, client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) client.gone = true;
    if (sent < 0) break;
    client.unsent.erase(0, static_cast<std::size_t>(sent));
  }
  if (client.unsent.size() > kUnsentBytesMax) client.gone = true;
}

void ShimClients::tell_all(const std::string& line) {
  for (auto& client : clients_) {
    client.unsent += line + "\n";
    send(client);
  }
}

}  // namespace process
