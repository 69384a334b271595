#include "process/shim.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <set>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "base/text.h"
#include "process/cgroup.h"
#include "process/child_directory.h"
#include "process/shim_clients.h"
#include "process/shim_start.h"
#include "process/tree.h"

namespace process {

namespace {

constexpr std::int64_t kGraceMs = 1'000;    // between SIGTERM and SIGKILL
constexpr std::int64_t kKillStepMs = 10;    // between two rounds of SIGKILL
constexpr std::int64_t kLimitStepMs = 200;  // how often limits are looked at
constexpr std::size_t kInputBytesMax = 1 << 20;

std::int64_t out_of_memory_kills() {
  std::ifstream file("/proc/vmstat");
  for (std::string key, value; file >> key >> value;)
    if (key == "oom_kill") return std::strtoll(value.c_str(), nullptr, 10);
  return 0;
}

int output_file(std::string_view name) {
  const int fd = open(std::string(name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw base::Broken("the child's output file cannot be made");
  return fd;
}

std::uint64_t size_of(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

class Shim {
 public:
  Shim(ChildDirectory directory, ChildSpec spec)
      : directory_(std::move(directory)),
        spec_(std::move(spec)),
        clients_(std::string(kSocketFile), [this](const std::string& request) { return answer(request); }),
        out_(output_file(kStdoutFile)),
        err_(output_file(kStderrFile)) {}

  void run() {
    take_signals();
    start();
    while (!gone_) turn();
    if (cgroup_) cgroup_->remove();
    clients_.tell_all(R"({"event":"gone"})");
  }

 private:
  void take_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  }

  // Its place is known before it is there: whoever comes after a dead shim finds it.
  void make_cgroup() {
    auto cgroup = Cgroup::below_own("outlast-" + base::sha256_hex(directory_.path()).substr(0, 16));
    if (!cgroup) return;
    std::ofstream(std::string(kCgroupFile)) << cgroup->path();  // not synced: what it names does not survive a power cut either
    if (cgroup->make()) cgroup_ = std::move(cgroup);
  }

  void start() {
    if (!spec_.daemonises) make_cgroup();
    kills_before_ = out_of_memory_kills();
    end_.started_ms = clock_.wall_ms();
    started_ms_ = output_ms_ = clock_.steady_ms();
    const auto tag = spec_.daemonises ? "" : std::string(kTagVariable) + "=" + directory_.path();
    auto child = start_child(spec_, tag, cgroup_ ? cgroup_->entrance() : "", out_, err_);
    if (!child) {
      end_.started_ms = 0;
      end_.message = child.error().message;
      end(Cause::spawn_failed);
      return;
    }
    child_ = *child;
    // Who looks for the child without its owner finds it by this; not synced, since no process survives a power cut either.
    if (const auto known = base::identity_of(child_.pid)) std::ofstream(std::string(kProcessFile)) << encode(*known);
    base::failpoint("shim.after_start");
  }

  void turn() {
    std::vector<pollfd> polled{{signals_, POLLIN, 0}};
    if (child_.terminal >= 0)
      polled.push_back({child_.terminal, static_cast<short>(input_.empty() ? POLLIN : POLLIN | POLLOUT), 0});
    else if (child_.input >= 0 && !input_.empty())
      polled.push_back({child_.input, POLLOUT, 0});
    clients_.add_to(polled);
    poll(polled.data(), polled.size(), wait_ms());
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof info) == sizeof info)
      if (info.ssi_signo != SIGCHLD) begin_kill(Cause::terminated, kGraceMs);
    copy_terminal();
    pass_input();
    reap();
    check_limits();
    clients_.serve();
    go_on_killing();
  }

  int wait_ms() const {
    if (gone_) return 0;
    if (killing_) return static_cast<int>(kKillStepMs);
    const bool limited = !ended_ && (spec_.wall_ms || spec_.idle_ms || spec_.output_bytes_max);
    return limited ? static_cast<int>(kLimitStepMs) : -1;
  }

  void reap() {
    for (;;) {
      int status = 0;
      rusage usage{};
      const auto pid = wait4(-1, &status, WNOHANG, &usage);
      if (pid > 0 && pid == child_.pid && !ended_) main_ended(status, usage);
      if (pid > 0) continue;
      // Nobody is left who could become our child: the whole tree is gone.
      if ((pid < 0 && errno == ECHILD) || (ended_ && spec_.daemonises)) gone_ = true;
      return;
    }
  }

  void main_ended(int status, const rusage& usage) {
    copy_terminal();
    end_.user_us = usage.ru_utime.tv_sec * 1'000'000 + usage.ru_utime.tv_usec;
    end_.system_us = usage.ru_stime.tv_sec * 1'000'000 + usage.ru_stime.tv_usec;
    end_.max_resident_kib = usage.ru_maxrss;
    if (WIFEXITED(status)) end_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
    if (killing_) return end(cause_);
    if (WIFEXITED(status)) return end(Cause::exited);
    end(end_.signal == SIGKILL && out_of_memory_kills() > kills_before_ ? Cause::out_of_memory : Cause::signalled);
  }

  void end(Cause cause) {
    ended_ = true;
    end_.cause = cause;
    end_.ended_ms = clock_.wall_ms();
    fsync(out_);
    fsync(err_);
    directory_.write(kEndFile, encode(end_));
    clients_.tell_all(R"({"event":"ended"})");
  }

  void check_limits() {
    if (ended_ || killing_) return;
    const auto now = clock_.steady_ms();
    const auto bytes = size_of(out_) + size_of(err_);
    if (bytes != bytes_) output_ms_ = now;
    bytes_ = bytes;
    if (spec_.wall_ms && now - started_ms_ >= spec_.wall_ms)
      begin_kill(Cause::timeout, kGraceMs);
    else if (spec_.idle_ms && now - output_ms_ >= spec_.idle_ms)
      begin_kill(Cause::idle_timeout, kGraceMs);
    else if (spec_.output_bytes_max && bytes > static_cast<std::uint64_t>(spec_.output_bytes_max))
      begin_kill(Cause::output_limit, 0);
  }

  void begin_kill(Cause cause, std::int64_t grace_ms) {
    const auto until = clock_.steady_ms() + grace_ms;
    if (killing_) {
      kill_hard_ms_ = std::min(kill_hard_ms_, until);
      return;
    }
    killing_ = true;
    cause_ = cause;
    kill_hard_ms_ = until;
    const auto tree = descendants(getpid());
    signal_all(tree, SIGTERM);
    signal_all(tree, SIGCONT);  // one that was stopped hears it too
  }

  void go_on_killing() {
    if (!killing_ || gone_ || clock_.steady_ms() < kill_hard_ms_) return;
    // All are stopped before any is killed, so that none can make another meanwhile; the next round finds who came through.
    const auto tree = descendants(getpid());
    signal_all(tree, SIGSTOP);
    signal_all(tree, SIGKILL);
    if (cgroup_) cgroup_->kill();
  }

  void copy_terminal() {
    if (child_.terminal < 0) return;
    std::array<char, 16 << 10> buffer;
    for (ssize_t got; (got = read(child_.terminal, buffer.data(), buffer.size())) > 0;) {
      std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
      while (!rest.empty()) {
        const auto written = write(out_, rest.data(), rest.size());
        if (written < 0 && errno != EINTR) return;  // a full disk: what does not fit is lost, as in a pipe to a file
        if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
      }
    }
  }

  void pass_input() {
    while (!input_.empty() && child_.input >= 0) {
      const auto written = write(child_.input, input_.data(), input_.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && errno != EAGAIN) close_input();
      if (written < 0) return;
      input_.erase(0, static_cast<std::size_t>(written));
    }
    if (input_.empty() && input_ends_) close_input();
  }

  void close_input() {
    if (child_.terminal >= 0 || child_.input < 0) return;
    close(child_.input);
    child_.input = -1;
    input_.clear();
  }

  // --- requests ----------------------------------------------------------------------------------------------------
  static std::string refuse(std::string_view why) { return base::to_text(boost::json::object{{"error", why}}); }

  std::string answer(const std::string& request) {
    const auto value = base::parse_json(request);
    const auto* object = value ? value->if_object() : nullptr;
    if (!object) return refuse("not a JSON object");
    // The lease's epoch is the fence: who lost the run cannot do anything to its children any more.
    const auto epoch = base::int_or_zero(*object, "epoch");
    if (epoch < epoch_) return refuse("stale epoch");
    epoch_ = epoch;
    const auto op = base::text_or_empty(*object, "op");
    if (op == "attach") return ended_ ? R"({"event":"ended"})" : R"({"ok":true})";
    if (op == "kill") {
      begin_kill(Cause::cancelled, base::int_field(*object, "grace_ms").value_or(kGraceMs));
      return R"({"ok":true})";
    }
    if (op == "input") return take_input(base::text_or_empty(*object, "data"), base::text_or_empty(*object, "key"));
    if (op == "end_input") {
      input_ends_ = true;
      return child_.terminal >= 0 ? take_input("\x04") : R"({"ok":true})";
    }
    if (op == "signal") return pass_signal(static_cast<int>(base::int_or_zero(*object, "signal")));
    if (op == "resize") return resize(*object);
    return refuse("unknown op '" + op + "'");
  }

  // A key is taken once: an executor that does not know what its predecessor has sent sends all of it again.
  std::string take_input(std::string_view text, const std::string& key = "") {
    if (!key.empty() && keys_.contains(key)) return R"({"ok":true})";
    if (child_.input < 0 || ended_) return refuse("the child takes no input");
    if (input_.size() + text.size() > kInputBytesMax) return refuse("the child does not read its input");
    input_ += text;
    if (!key.empty()) keys_.insert(key);
    return R"({"ok":true})";
  }

  std::string pass_signal(int signal) {
    if (ended_ || signal <= 0) return refuse(ended_ ? "the child has ended" : "no such signal");
    kill(-child_.pid, signal);
    return R"({"ok":true})";
  }

  std::string resize(const boost::json::object& request) {
    if (child_.terminal < 0) return refuse("the child has no terminal");
    const winsize size{.ws_row = static_cast<unsigned short>(base::int_or_zero(request, "rows")),
                       .ws_col = static_cast<unsigned short>(base::int_or_zero(request, "columns")),
                       .ws_xpixel = 0,
                       .ws_ypixel = 0};
    ioctl(child_.terminal, TIOCSWINSZ, &size);
    return R"({"ok":true})";
  }

  const ChildDirectory directory_;
  const ChildSpec spec_;
  base::SystemClock clock_;
  ShimClients clients_;
  const int out_, err_;
  int signals_ = -1;
  StartedChild child_;
  std::optional<Cgroup> cgroup_;    // where there may be one
  std::string input_;
  std::set<std::string> keys_;      // of input that was taken
  Ended end_;
  Cause cause_ = Cause::cancelled;  // of the kill under way
  bool ended_ = false;              // the child itself; its tree may live on
  bool gone_ = false, killing_ = false, input_ends_ = false;
  std::int64_t epoch_ = 0, kills_before_ = 0;
  std::int64_t started_ms_ = 0, output_ms_ = 0, kill_hard_ms_ = 0;  // steady
  std::uint64_t bytes_ = 0;
};

}  // namespace

int run_shim(const std::string& path) {
  umask(0077);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);
  if (chdir(path.c_str()) != 0) return 78;
  const ChildDirectory directory(path);
  base::failpoint("shim.before_claim");
  if (!directory.claim(encode(base::this_process()))) return 0;
  base::failpoint("shim.after_claim");
  const auto text = directory.read(kSpecFile);
  auto spec = decode_child_spec(text.value_or(""));
  if (!spec || !spec->daemonises) prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (!spec) {
    directory.write(kEndFile, encode(Ended{.cause = Cause::spawn_failed, .exit_code = {}, .message = spec.error().message}));
    return 78;
  }
  Shim(directory, std::move(*spec)).run();
  return 0;
}

}  // namespace process
