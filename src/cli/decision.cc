#include "cli/decision.h"

#include <algorithm>

#include "cli/launcher.h"
#include "cli/store_command.h"

namespace cli {

namespace {

constexpr std::int64_t kAdoptMs = 700;  // a server that lives is quicker
constexpr std::int64_t kLookMs = 50;

}  // namespace

aio::Task<Checked<std::vector<run::ToolCall>>> waiting_calls(Process& process, store::Run run) {
  if (run.status != run::Status::paused)
    co_return refuse(kFailed, "run " + run.run_id + " is " + std::string(run::name(run.status)) +
                                  "; only a paused run waits for a decision");
  auto pause = co_await process.store->pause_of(run.number);
  if (!pause) co_return refuse(pause.error());
  std::erase_if(pause->calls, [&pause](const run::ToolCall& call) {
    return std::ranges::find(pause->decided, call.id, &run::Decision::call_id) != pause->decided.end();
  });
  co_return std::move(pause->calls);
}

aio::Task<Checked<>> decide(Process& process, store::Run run, std::vector<run::Decision> decisions) {
  const auto decided = co_await process.store->decide(run.number, std::move(decisions));
  if (!decided) co_return refuse(decided.error());
  co_return Checked<>{};
}

aio::Task<Checked<>> see_executed(Process& process, store::Run run) {
  const auto end = process.time.steady_ms() + kAdoptMs;
  while (process.time.steady_ms() < end) {
    if (!co_await is_orphan(process, run.number)) co_return Checked<>{};
    co_await process.time.sleep(std::chrono::milliseconds(kLookMs));
  }
  if (run.origin == "command") co_return co_await revive(process, run);
  note("the decision is kept; the run goes on when its server does: outlast serve");
  co_return Checked<>{};
}

}  // namespace cli
