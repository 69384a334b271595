#include "process/shim_start.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace process {

namespace {

struct Streams {
  int in = -1, out = -1, err = -1;
  bool terminal = false;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// What could not be done, told to the shim by a pipe that exec closes.
struct Failure {
  int reason = 0;
  char doing[16] = {};
};

// A child that could not enter is found as it would be without one.
void enter(const char* cgroup) {
  if (!*cgroup) return;
  const int fd = open(cgroup, O_WRONLY | O_CLOEXEC);
  [[maybe_unused]] const auto written = write(fd, "0", 1);
  close(fd);
}

// In the child, after fork: only system calls from here on.
[[noreturn]] void become(const Streams& streams, const char* directory, char* const* argv, char** environment, const char* cgroup,
                         pid_t shim, int report) {
  const auto fail = [report](const char* doing) {
    Failure failure{.reason = errno, .doing = {}};
    std::strncpy(failure.doing, doing, sizeof failure.doing - 1);
    [[maybe_unused]] const auto told = write(report, &failure, sizeof failure);
    _exit(127);
  };
  setsid();
  enter(cgroup);
  if (streams.terminal) ioctl(streams.in, TIOCSCTTY, 0);
  // A child must not go on without its owner.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != shim) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int ignored : {SIGPIPE, SIGHUP, SIGCHLD}) std::signal(ignored, SIG_DFL);
  if (dup2(streams.in, STDIN_FILENO) < 0 || dup2(streams.out, STDOUT_FILENO) < 0 || dup2(streams.err, STDERR_FILENO) < 0)
    fail("dup2");
  if (chdir(directory) != 0) fail("chdir");
  environ = environment;  // also where execvp looks for PATH
  execvp(argv[0], argv);
  fail("exec");
  _exit(127);
}

base::Error explain(const Failure& failure, const ChildSpec& spec) {
  const std::string reason = std::strerror(failure.reason);
  if (std::strcmp(failure.doing, "chdir") == 0)
    return {base::Errc::unavailable, "cannot work in " + spec.directory + ": " + reason};
  return {base::Errc::unavailable, "cannot run " + spec.argv.front() + ": " + reason};
}

}  // namespace

base::Result<StartedChild> start_child(const ChildSpec& spec, const std::string& tag, const std::string& cgroup, int out, int err) {
  const auto failed = [](const char* what) {
    return base::fail(base::Errc::unavailable, std::string(what) + ": " + std::strerror(errno));
  };
  auto argv = spec.argv;
  auto environment = spec.environment;
  for (const auto& name : spec.inherits)
    if (const char* value = std::getenv(name.c_str())) environment.push_back(name + "=" + value);
  if (!tag.empty()) environment.push_back(tag);
  const auto argument_pointers = pointers(argv);
  auto environment_pointers = pointers(environment);
  StartedChild child;
  Streams streams{.in = -1, .out = out, .err = err};
  int slave = -1, pipe_ends[2] = {-1, -1}, report[2];
  if (spec.terminal) {
    const winsize size{.ws_row = static_cast<unsigned short>(spec.terminal->rows),
                       .ws_col = static_cast<unsigned short>(spec.terminal->columns),
                       .ws_xpixel = 0,
                       .ws_ypixel = 0};
    if (openpty(&child.terminal, &slave, nullptr, nullptr, &size) != 0) return failed("no terminal for the child");
    fcntl(child.terminal, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    streams = {.in = slave, .out = slave, .err = slave, .terminal = true};
    child.input = child.terminal;
  } else if (spec.takes_input) {
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) return failed("no pipe for the child");
    streams.in = pipe_ends[0];
    child.input = pipe_ends[1];
  } else {
    streams.in = pipe_ends[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  if (child.input >= 0) fcntl(child.input, F_SETFL, O_NONBLOCK);
  if (pipe2(report, O_CLOEXEC) != 0) return failed("no pipe for the child");
  const auto shim = getpid();
  child.pid = fork();
  if (child.pid == 0)
    become(streams, spec.directory.c_str(), argument_pointers.data(), environment_pointers.data(), cgroup.c_str(), shim,
           report[1]);
  const int fork_reason = errno;
  close(report[1]);
  if (slave >= 0) close(slave);
  if (pipe_ends[0] >= 0) close(pipe_ends[0]);
  Failure failure;
  ssize_t told = -1;
  if (child.pid > 0) do
      told = read(report[0], &failure, sizeof failure);
    while (told < 0 && errno == EINTR);
  close(report[0]);
  if (child.pid < 0)
    return base::fail(base::Errc::unavailable, std::string("no process for the child: ") + std::strerror(fork_reason));
  if (told == sizeof failure) return std::unexpected(explain(failure, spec));
  return child;
}

}  // namespace process
