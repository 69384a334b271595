#include "cli/run_end.h"

#include "cli/store_command.h"

namespace cli {

namespace {
constexpr std::int64_t kLookMs = 20;
constexpr std::int64_t kOrphanLookMs = 200;
}  // namespace

aio::Task<> prepare_to_execute(Process& process) {
  if (process.execution) co_return;
  process.enable_execution(nullptr, {.concurrent_runs_max = 1'000, .adopt = false});
  co_await process.execution->executor.start();
}

aio::Task<> take_over(Process& process, store::RunNumber run) {
  auto& executor = process.execution->executor;
  const auto taken = co_await executor.take(run, 0);
  if (taken) co_await executor.finished(run);
}

aio::Task<std::optional<store::Run>> cancel_and_wait(Process& process, store::Run run) {
  co_await process.store->request_cancel(run.run_id);
  const auto end = process.time.steady_ms() + kCancelEndMs;
  for (auto next_orphan_look = process.time.steady_ms();;) {
    auto now = co_await present(process, run.run_id);
    if (!now || run::is_terminal(now->status) || process.time.steady_ms() >= end) co_return now;
    if (process.time.steady_ms() >= next_orphan_look) {
      next_orphan_look = process.time.steady_ms() + kOrphanLookMs;
      if (co_await is_orphan(process, run.number)) {
        co_await prepare_to_execute(process);
        co_await take_over(process, run.number);
        continue;
      }
    }
    co_await process.time.sleep(std::chrono::milliseconds(kLookMs));
  }
}

aio::Task<> stop_executing(Process& process) {
  if (process.execution) co_await process.execution->executor.stop(0);
}

}  // namespace cli
