#include "process/capture.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <set>
#include <utility>

#include "process/tree.h"

namespace process {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kLookMs = 20;     // between two looks at a process that no pidfd could be had of
constexpr std::int64_t kReapMs = 2'000;  // a killed process that is not gone by then is left to the kernel
constexpr int kSweepsMax = 10;           // its descendants are looked for until there are no new ones
constexpr int kReadsMax = 64;            // in a row: more than a pipe holds, and less than a flood

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

struct Pipe {
  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read.reset(ends[0]);
    write.reset(ends[1]);
    return true;
  }
  Fd read, write;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// In the child, after fork: only system calls from here on. What could not be done is told by a pipe that exec closes.
[[noreturn]] void become(int in, int out, int err, const char* directory, char* const* argv, char** environment, pid_t parent,
                         int report) {
  const auto fail = [report] {
    const int reason = errno;
    [[maybe_unused]] const auto told = write(report, &reason, sizeof reason);
    _exit(127);
  };
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would read what it says
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int changed : {SIGPIPE, SIGHUP, SIGCHLD, SIGINT, SIGTERM}) std::signal(changed, SIG_DFL);
  if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) fail();
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (*directory && chdir(directory) != 0) fail();
  environ = environment;  // also where execvp looks for PATH
  execvp(argv[0], argv);
  fail();
  _exit(127);
}

// The program under way, as its reader sees it.
struct Program {
  pid_t pid = 0;
  Fd out, err, end;  // end: its pidfd
};

// "" or why it did not start.
std::string start(const CaptureSpec& spec, Program& program) {
  auto argv = spec.argv;
  auto environment = spec.environment;
  const auto argument_pointers = pointers(argv);
  auto environment_pointers = pointers(environment);
  Pipe out, err, report;
  Fd in(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (in.get() < 0 || !out.open() || !err.open() || !report.open()) return std::strerror(errno);
  const auto parent = getpid();
  program.pid = fork();
  if (program.pid == 0)
    become(in.get(), out.write.get(), err.write.get(), spec.directory.c_str(), argument_pointers.data(),
           environment_pointers.data(), parent, report.write.get());
  if (program.pid < 0) return std::strerror(errno);
  for (auto* end : {&out.write, &err.write, &report.write}) end->reset();
  int reason = 0;
  ssize_t told = 0;
  do told = read(report.read.get(), &reason, sizeof reason);
  while (told < 0 && errno == EINTR);
  if (told == sizeof reason) {
    waitpid(program.pid, nullptr, 0);
    return std::strerror(reason);
  }
  program.end.reset(static_cast<int>(syscall(SYS_pidfd_open, program.pid, 0)));
  for (const auto* from : {&out.read, &err.read}) fcntl(from->get(), F_SETFL, O_NONBLOCK);
  program.out.reset(out.read.release());
  program.err.reset(err.read.release());
  return {};
}

// Takes what is there now; closes the descriptor at its end.
void take(Fd& from, std::string& into, const CaptureSpec& spec, Captured& result) {
  std::array<char, 64 << 10> buffer;
  for (int reads = 0; from.get() >= 0 && reads < kReadsMax; ++reads) {
    const auto got = read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return from.reset();
    const auto room = spec.output_bytes_max - std::min(spec.output_bytes_max, into.size());
    into.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
    if (room < static_cast<std::size_t>(got)) result.cut = true;
  }
}

// Whether it has ended; takes its exit status where this process is told one.
bool reap(const Program& program, Captured& result) {
  int status = 0;
  const auto got = waitpid(program.pid, &status, WNOHANG);
  if (got == 0) return false;
  if (got == program.pid && WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (got == program.pid && WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return true;
}

// Ends it and all below it. Those that left its process group are found by ancestry, so all are stopped before the first one
// dies: who loses its parent is not found any more.
void end_tree(const Program& program, Captured& result) {
  kill(-program.pid, SIGSTOP);
  std::set<pid_t> stopped;
  for (int sweep = 0; sweep < kSweepsMax; ++sweep) {
    const auto before = stopped.size();
    const auto below = descendants(program.pid);
    signal_all(below, SIGSTOP);
    stopped.insert(below.begin(), below.end());
    if (stopped.size() == before) break;
  }
  kill(-program.pid, SIGKILL);
  signal_all({stopped.begin(), stopped.end()}, SIGKILL);
  const auto until = SteadyClock::now() + std::chrono::milliseconds(kReapMs);
  while (!reap(program, result) && SteadyClock::now() < until) {
    pollfd end{.fd = program.end.get(), .events = POLLIN, .revents = 0};
    poll(&end, 1, static_cast<int>(kLookMs));
  }
}

}  // namespace

Captured capture(const CaptureSpec& spec) {
  Captured result;
  Program program;
  result.not_started = start(spec, program);
  if (!result.not_started.empty()) return result;
  const auto until = SteadyClock::now() + std::chrono::milliseconds(spec.timeout_ms);
  for (;;) {
    // Asked before the pipes: what it wrote before its end is in them then, and what it left behind may hold them open.
    const bool ended = reap(program, result);
    take(program.out, result.standard_output, spec, result);
    take(program.err, result.standard_error, spec, result);
    if (ended) return result;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    if (left <= 0) break;
    std::array<pollfd, 3> wanted{
        {{program.out.get(), POLLIN, 0}, {program.err.get(), POLLIN, 0}, {program.end.get(), POLLIN, 0}}};
    const auto wait_ms = program.end.get() < 0 ? std::min<std::int64_t>(left, kLookMs) : left;
    poll(wanted.data(), wanted.size(), static_cast<int>(std::min<std::int64_t>(wait_ms, 60'000)));
  }
  result.timed_out = true;
  end_tree(program, result);
  take(program.out, result.standard_output, spec, result);
  take(program.err, result.standard_error, spec, result);
  return result;
}

aio::Task<Captured> capture(aio::Offload& files, CaptureSpec spec) {
  auto work = [&spec] { return capture(spec); };
  co_return co_await files.run(work);
}

}  // namespace process
