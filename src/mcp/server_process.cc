#include "mcp/server_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace mcp {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

struct Pipe {
  Descriptor read, write;
};

bool open_pipe(Pipe& pipe) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  pipe.read = Descriptor(ends[0]);
  pipe.write = Descriptor(ends[1]);
  return true;
}

// What could not be done, told by a pipe that exec closes.
struct Failure {
  int reason = 0;
  bool directory = false;
};

// In the child, after fork: only system calls from here on.
[[noreturn]] void become(int in, int out, int err, const char* directory, char* const* argv, char** environment, pid_t parent,
                         int report) {
  const auto fail = [report](bool in_directory) {
    const Failure failure{.reason = errno, .directory = in_directory};
    [[maybe_unused]] const auto told = write(report, &failure, sizeof failure);
    _exit(127);
  };
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int ignored : {SIGPIPE, SIGHUP, SIGCHLD, SIGINT, SIGTERM}) std::signal(ignored, SIG_DFL);
  if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) fail(false);
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (chdir(directory) != 0) fail(true);
  environ = environment;  // also where execvp looks for PATH
  execvp(argv[0], argv);
  fail(false);
  _exit(127);
}

std::unexpected<base::Error> failed(const std::string& what, int reason) {
  return base::fail(base::Errc::unavailable, what + ": " + std::strerror(reason));
}

// Whether exec went well; the pipe is closed by it.
std::optional<Failure> read_report(int report) {
  Failure failure;
  ssize_t told = 0;
  do told = read(report, &failure, sizeof failure);
  while (told < 0 && errno == EINTR);
  return told == sizeof failure ? std::optional(failure) : std::nullopt;
}

bool is_another(const base::ProcessIdentity& server) {
  const auto now = base::identity_of(server.pid);
  return now && now->start != server.start;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void Descriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

base::Result<ServerProcess> start_server(const ServerCommand& command) {
  auto argv = command.argv;
  auto environment = command.environment;
  const auto argument_pointers = pointers(argv);
  auto environment_pointers = pointers(environment);
  Pipe in, out, err, report;
  for (auto* pipe : {&in, &out, &err, &report})
    if (!open_pipe(*pipe)) return failed("no pipe for the server", errno);
  const auto parent = getpid();
  const auto pid = fork();
  if (pid == 0)
    become(in.read.get(), out.write.get(), err.write.get(), command.directory.c_str(), argument_pointers.data(),
           environment_pointers.data(), parent, report.write.get());
  if (pid < 0) return failed("no process for the server", errno);
  for (auto* end : {&in.read, &out.write, &err.write, &report.write}) end->reset();
  if (const auto failure = read_report(report.read.get())) {
    waitpid(pid, nullptr, 0);
    const auto what = failure->directory ? "cannot work in " + command.directory : "cannot run " + command.argv.front();
    return failed(what, failure->reason);
  }
  for (const auto* end : {&in.write, &out.read, &err.read}) fcntl(end->get(), F_SETFL, O_NONBLOCK);
  auto identity = base::identity_of(pid).value_or(base::ProcessIdentity{.pid = pid, .start = 0, .boot_id = {}});
  return ServerProcess{
      .identity = std::move(identity), .input = std::move(in.write), .output = std::move(out.read), .error = std::move(err.read)};
}

void signal_server(const base::ProcessIdentity& server, int signal) {
  if (!is_another(server)) kill(static_cast<pid_t>(-server.pid), signal);
}

bool server_lives(const base::ProcessIdentity& server) {
  waitpid(static_cast<pid_t>(server.pid), nullptr, WNOHANG);  // where nobody else does
  return !is_another(server) && kill(static_cast<pid_t>(-server.pid), 0) == 0;
}

}  // namespace mcp
