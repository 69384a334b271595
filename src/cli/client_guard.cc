#include "cli/client_guard.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace cli {

namespace {

constexpr char kLeft = 'l';

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// Whoever waits for the end of these streams must not wait for what outlives the client.
void let_go(std::initializer_list<int> fds) {
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return;
  for (const int fd : fds) dup2(nothing, fd);
  close(nothing);
}

int exit_code(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int wait_for(pid_t child, int told, int signals) {
  let_go({STDIN_FILENO, STDOUT_FILENO});
  for (;;) {
    pollfd polled[] = {{.fd = told, .events = POLLIN, .revents = 0}, {.fd = signals, .events = POLLIN, .revents = 0}};
    if (poll(polled, 2, -1) < 0 && errno != EINTR) return exit_code(child);
    if (polled[1].revents) {
      signalfd_siginfo info;
      if (read(signals, &info, sizeof info) > 0) kill(child, SIGTERM);
    }
    if (!polled[0].revents) continue;
    char word = 0;
    if (read(told, &word, 1) == 1 && word == kLeft) return 0;
    return exit_code(child);
  }
}

}  // namespace

int guard_client(const std::function<int(const std::function<void()>& client_left)>& work) {
  const auto nobody = [] {};
  int ends[2];
  // A process of another session may not read from the terminal.
  if (isatty(STDIN_FILENO) || pipe2(ends, O_CLOEXEC) != 0) return work(nobody);
  const auto signals = ending_signals();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &signals, &before);
  std::fflush(nullptr);
  const auto parent = getpid();
  const auto child = fork();
  if (child < 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return work(nobody);
  }
  if (child > 0) {
    close(ends[1]);
    return wait_for(child, ends[0], signalfd(-1, &signals, SFD_CLOEXEC));
  }
  close(ends[0]);
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) raise(SIGTERM);  // it died before that was asked for
  sigprocmask(SIG_SETMASK, &before, nullptr);
  const int code = work([told = ends[1]] {
    prctl(PR_SET_PDEATHSIG, 0);  // the parent's end is no news any more
    let_go({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
    [[maybe_unused]] const auto written = write(told, &kLeft, 1);
    close(told);
  });
  std::fflush(nullptr);
  _exit(code);
}

}  // namespace cli
