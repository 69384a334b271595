#pragma once
// The shim's socket: lines of JSON from executors, answered line by line; what happens to the child is told to all.
#include <poll.h>

#include <functional>
#include <list>
#include <string>
#include <vector>

namespace process {

class ShimClients {
 public:
  // Answers one request, without its newline.
  using Answer = std::function<std::string(const std::string& request)>;

  // Listens on `socket` in the working directory.
  ShimClients(const std::string& socket, Answer answer);
  ~ShimClients();
  ShimClients(const ShimClients&) = delete;
  ShimClients& operator=(const ShimClients&) = delete;

  void add_to(std::vector<pollfd>& polled) const;
  // After a poll in which add_to had its part.
  void serve();
  void tell_all(const std::string& line);

 private:
  struct Client {
    int fd;
    std::string received, unsent;
    bool gone = false;
  };
  void accept_all();
  void receive(Client& client);
  static void send(Client& client);

  int listener_ = -1;
  Answer answer_;
  std::list<Client> clients_;
};

}  // namespace process
