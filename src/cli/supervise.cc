#include "cli/supervise.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "base/failpoint.h"
#include "run/recovery.h"

namespace cli {

namespace {

constexpr std::int64_t kFirstPauseMs = 100, kPauseMsMax = 10'000;
constexpr std::int64_t kDeathsMax = 2 * run::kCrashesMax;  // the run itself is parked before that

sigset_t handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// The child's wait status; signals that come meanwhile are passed on to it.
int wait_for(pid_t child, const sigset_t& signals) {
  for (;;) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return status;
    const int signal = sigwaitinfo(&signals, nullptr);
    if (signal > 0 && signal != SIGCHLD) kill(child, signal);
  }
}

void pause_for(std::int64_t ms) {
  timespec left{.tv_sec = ms / 1'000, .tv_nsec = ms % 1'000 * 1'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace

int supervise(const std::function<int()>& work) {
  const auto signals = handled_signals();
  sigset_t before;
  std::signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_BLOCK, &signals, &before);
  auto pause_ms = kFirstPauseMs;
  for (std::int64_t deaths = 1;; ++deaths) {
    std::fflush(nullptr);
    const auto child = fork();
    if (child < 0) {
      // No room for another process: then this one executes itself, unsupervised.
      sigprocmask(SIG_SETMASK, &before, nullptr);
      return work();
    }
    if (child == 0) {
      sigprocmask(SIG_SETMASK, &before, nullptr);
      const int code = work();
      std::fflush(nullptr);
      _exit(code);
    }
    const int status = wait_for(child, signals);
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    std::fprintf(stderr,
                 R"({"level":"warning","message":"the executor was killed","signal":%d,"deaths":%lld})"
                 "\n",
                 signal, static_cast<long long>(deaths));
    base::disarm_failpoint();
    if (deaths >= kDeathsMax) return 128 + signal;
    pause_for(pause_ms);
    pause_ms = std::min(2 * pause_ms, kPauseMsMax);
  }
}

}  // namespace cli
