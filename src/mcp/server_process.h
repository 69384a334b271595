#pragma once
// The process of a server that speaks over its standard input and output: in a session of its own, ended with all of its group,
// and, by the kernel, when this process dies.
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/process_identity.h"

namespace mcp {

struct ServerCommand {
  std::vector<std::string> argv;         // argv[0] is looked up in the PATH of its environment
  std::vector<std::string> environment;  // "NAME=value", whole
  std::string directory;                 // absolute
};

// A file descriptor and who closes it.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_;
};

struct ServerProcess {
  base::ProcessIdentity identity;   // its pid is the group's
  Descriptor input, output, error;  // our ends; they do not block
};

// Blocks for the fork, on the thread that is to be its parent. Errc::unavailable: why it could not run.
base::Result<ServerProcess> start_server(const ServerCommand& command);

// To all of its group. Nothing happens to a stranger that got its number later.
void signal_server(const base::ProcessIdentity& server, int signal);
bool server_lives(const base::ProcessIdentity& server);

}  // namespace mcp
