#include "cli/execute.h"

#include <unistd.h>

#include <csignal>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/run_files.h"
#include "cli/signals.h"
#include "cli/store_command.h"
#include "cli/supervise.h"
#include "engine/flow_notify.h"
#include "engine/projection_manifest.h"
#include "engine/waker.h"

namespace cli {

namespace {

// Tells the launcher, which may be gone.
void tell(int fd, const std::string& line) {
  if (fd < 0) return;
  const auto text = line + "\n";
  [[maybe_unused]] const auto written = write(fd, text.data(), text.size());
  close(fd);
}

int give_up(const ExecuteOptions& options, int code, const std::string& message) {
  tell(options.ready_fd, "error: " + base::to_text(boost::json::object{{"code", code}, {"message", message}}));
  return complain(code, message);
}

aio::Task<> cancel(engine::Executor& executor, std::string run_id) { co_await executor.cancel(std::move(run_id)); }

// Whether this process could go on with the run.
base::Result<> usable(const Execution& execution, const store::Run& run) {
  const auto spec = run::decode_spec(run.spec);
  if (!spec) return std::unexpected(spec.error());
  return engine::model_usable(execution.deps, run, *spec);
}

// A run that nobody alive holds keeps the reason for which it waits, so that everybody who looks at it sees it.
aio::Task<> record_reason(Process& process, store::Run run, std::string why) {
  const auto owner = co_await process.store->register_owner();
  const auto lease = co_await process.store->claim(run.number, owner, 0);
  if (lease) co_await process.store->release(run.number, lease->run.epoch, "run.waiting.no_provider: " + why);
}

// Waits a little where the session has news that its agent is to be told.
aio::Task<bool> comes_to_more(Process& process, engine::Waker& waker) {
  if (!co_await waker.has_work()) co_return false;
  co_await process.time.sleep(std::chrono::milliseconds(base::limits::kWakeScanMs));
  co_return true;
}

aio::Task<int> execute(Process& process, const ExecuteOptions& options) {
  auto& execution = process.enable_execution(nullptr, {.concurrent_runs_max = 1, .adopt = false});
  const auto run = co_await present(process, options.run_id);
  if (!run) co_return give_up(options, kUsage, "no run '" + options.run_id + "'");
  // Looked at after each death too: since the launcher checked it, the app file that has the key may have gone.
  if (const auto able = usable(execution, *run); !able && !run->cancel_requested) {
    co_await record_reason(process, *run, able.error().message);
    co_return give_up(options, exit_code_of(able.error().code), able.error().message);
  }
  auto& executor = execution.executor;
  co_await executor.start();
  const auto taken = co_await executor.take(run->number, options.from);
  if (!taken) {
    const auto& error = taken.error();
    // The process before this one may have died between the end of its flow and telling it, or between that and its last file.
    if (error.code == base::Errc::already_finished) {
      co_await engine::notify_end(execution.deps, executor, options.run_id);
      if (const auto ended = co_await present(process, options.run_id)) co_await files_settled(process, *ended);
      co_await executor.idle();
    }
    co_await executor.stop(0);
    if (error.code != base::Errc::busy && error.code != base::Errc::already_finished)
      co_return give_up(options, exit_code_of(error.code), error.message);
    tell(options.ready_fd, R"({"pid":0})");  // it is in good hands
    co_return kOk;
  }
  tell(options.ready_fd, R"({"pid":)" + std::to_string(getpid()) + "}");
  aio::TaskGroup tasks(process.io, [](const std::string& name, const std::string& what) {
    base::log::error("a task of the executor failed", {{"task", name}, {"reason", what}});
  });
  {
    const Signals signals(process.io, [&](int signal) {
      if (signal != SIGHUP) tasks.spawn("cancel", cancel(executor, options.run_id));
    });
    co_await executor.finished(run->number);
  }
  // What it left in the background goes on here, and its agent hears of it; were this process killed, any other would go on.
  engine::Waker waker(execution.deps, executor, run->session_id);
  tasks.spawn("waker", waker.run());
  do co_await executor.idle();
  while (co_await comes_to_more(process, waker));
  tasks.cancel();
  co_await tasks.join();
  co_await executor.stop(0);
  const auto end = co_await present(process, options.run_id);
  co_return end ? engine::outcome_of(end->status, end->reason).exit_code.value_or(kOk) : kOk;
}

}  // namespace

int run_execute(const ExecuteOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // the launcher may have gone away before it heard
  base::log::configure(base::log::Level::info, base::log::Format::json);
  // A failure before the store is open is heard too: the pipe closes without a line and executor.log has the words.
  return supervise([&options] { return with_store([&options](Process& process) { return execute(process, options); }); });
}

}  // namespace cli
