#include "cli/approve.h"

#include "base/json.h"
#include "cli/launcher.h"
#include "cli/store_command.h"
#include "run/event.h"

namespace cli {

namespace {

constexpr std::int64_t kAdoptMs = 700;  // a server that lives is quicker
constexpr std::int64_t kLookMs = 50;

// A server adopts the run, or an executor of its own goes on with it.
aio::Task<int> see_executed(Process& process, const store::Run& run) {
  const auto end = process.time.steady_ms() + kAdoptMs;
  while (process.time.steady_ms() < end) {
    if (!co_await is_orphan(process, run.number)) co_return kOk;
    co_await process.time.sleep(std::chrono::milliseconds(kLookMs));
  }
  if (run.origin != "command") {
    note("the decision is kept; the run goes on when its server does: outlast serve");
    co_return kOk;
  }
  const auto revived = co_await revive(process, run);
  if (!revived) co_return complain(revived.error());
  co_return kOk;
}

aio::Task<int> approve(Process& process, const ApproveOptions& options) {
  const auto run = co_await resolve_run(process, options.id);
  if (!run) co_return complain(run.error());
  if (run->status != run::Status::paused)
    co_return complain(kFailed, "run " + run->run_id + " is " + std::string(run::name(run->status)) +
                                    "; only a paused run waits for a decision");
  const auto last = run::decode(co_await process.store->last_event(run->number));
  const auto* paused = last ? std::get_if<run::RunPaused>(&last->payload) : nullptr;
  if (!paused) co_return complain(kFailed, "run " + run->run_id + " does not say what it waits for");
  run::RunContinued decided;
  for (const auto& call : paused->calls)
    decided.decisions.push_back({.call_id = call.id, .approved = !options.reject, .note = options.note});
  auto line = run::encode({process.time.wall_ms(), decided});
  const auto continued = co_await process.store->continue_run(run->number, std::move(line));
  if (!continued) co_return complain(continued.error());
  const auto word = options.reject ? "rejected" : "approved";
  for (const auto& call : paused->calls) {
    if (options.json)
      put_line(base::to_text(
          boost::json::object{{"run_id", run->run_id}, {"call_id", call.id}, {"tool", call.name}, {"decision", word}}));
    else
      put_line(std::string(word) + " " + call.name + " " + one_line(call.arguments, 100));
  }
  co_return co_await see_executed(process, *run);
}

}  // namespace

int run_approve(const ApproveOptions& options) {
  return with_store([&options](Process& process) { return approve(process, options); });
}

}  // namespace cli
