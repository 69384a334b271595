#include "cli/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace cli {

namespace {

constexpr auto kReadyLimit = std::chrono::seconds(30);  // a crowd of starting processes is slow, not dead
constexpr std::size_t kReadyBytesMax = 64 << 10;
constexpr int kReadyFd = 3;

// The child's environment: this one's, except that runs which it starts do not join (one hop), and the home by its whole path.
std::vector<std::string> child_environment(const Settings& settings) {
  std::vector<std::string> variables;
  for (char** at = environ; *at; ++at) {
    const std::string_view variable = *at;
    if (variable.starts_with("OUTLAST_RUN_ID=") || variable.starts_with("LIONAGI_RUN_ID=") ||
        variable.starts_with("OUTLAST_HOME="))
      continue;
    variables.emplace_back(variable);
  }
  variables.push_back("OUTLAST_HOME=" + settings.home);
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// posix_spawn's two option objects, freed whatever happens.
struct SpawnSetup {
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

int spawn(const Settings& settings, std::vector<std::string> argv, const std::string& log, int ready) {
  SpawnSetup setup;
  auto& actions = setup.actions;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ready, kReadyFd);
  posix_spawn_file_actions_addclosefrom_np(&actions, kReadyFd + 1);
  // The child must not keep the terminal's directory (a mount, a checkout) busy.
  posix_spawn_file_actions_addchdir_np(&actions, settings.home.c_str());
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&setup.attributes, &none);
  posix_spawnattr_setsigdefault(&setup.attributes, &all);
  posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  auto environment = child_environment(settings);
  const auto environment_pointers = pointers(environment);
  const auto argument_pointers = pointers(argv);
  pid_t pid = 0;
  return posix_spawn(&pid, "/proc/self/exe", &actions, &setup.attributes, argument_pointers.data(), environment_pointers.data());
}

// The first line that arrives, or "" when the other end closed or said nothing in time.
aio::Task<std::string> first_line(boost::asio::io_context& io, int fd) {
  using namespace boost::asio::experimental::awaitable_operators;
  boost::asio::posix::stream_descriptor pipe(io, fd);
  boost::asio::steady_timer timer(io, kReadyLimit);
  std::string text;
  auto buffer = boost::asio::dynamic_buffer(text, kReadyBytesMax);
  auto either = boost::asio::async_read_until(pipe, buffer, '\n', boost::asio::as_tuple(boost::asio::use_awaitable)) ||
                timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  co_await std::move(either);
  co_return std::string(base::trim(text.substr(0, text.find('\n'))));
}

Checked<Started> read_answer(const std::string& line, const std::string& log) {
  if (line.starts_with("error: ")) {
    const auto said = base::parse_json(line.substr(7));
    const auto* object = said ? said->if_object() : nullptr;
    if (!object) return refuse(kFailed, line.substr(7));
    return refuse(static_cast<int>(base::int_field(*object, "code").value_or(kFailed)), base::text_or_empty(*object, "message"));
  }
  const auto said = base::parse_json(line);
  const auto* object = said ? said->if_object() : nullptr;
  if (!object) return refuse(kFailed, "the executor did not start; see " + log);
  return Started{.pid = base::int_or_zero(*object, "pid")};
}

}  // namespace

std::string executor_log(const std::string& directory) { return directory.empty() ? "/dev/null" : directory + "/executor.log"; }

aio::Task<Checked<Started>> start_executor(Process& process, std::string run_id, std::string directory, store::OwnerNumber from) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) co_return refuse(kUnusable, std::string("no pipe for the executor: ") + std::strerror(errno));
  // Children of this process are not asked for their exit status; they are not to stay as zombies.
  std::signal(SIGCHLD, SIG_IGN);
  const auto log = executor_log(directory);
  const std::vector<std::string> argv = {
      "outlast", "execute", run_id, "--from", std::to_string(from), "--ready-fd", std::to_string(kReadyFd)};
  const int failed = spawn(process.settings, argv, log, ends[1]);
  close(ends[1]);
  if (failed) {
    close(ends[0]);
    co_return refuse(kUnusable, std::string("the executor cannot be started: ") + std::strerror(failed));
  }
  const auto line = co_await first_line(process.io, ends[0]);
  co_return read_answer(line, log);
}

}  // namespace cli
