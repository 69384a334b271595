#include "cli/cancel.h"

#include "base/json.h"
#include "cli/run_end.h"
#include "cli/run_files.h"
#include "cli/run_json.h"
#include "cli/store_command.h"

namespace cli {

namespace {

void tell(const store::Run& run, bool was_over, bool json) {
  if (json) {
    const auto outcome = run.status == run::Status::cancelled ? "cancelled"
                         : run::is_terminal(run.status)       ? "already_finished"
                                                              : "requested";
    return put_line(base::to_text(boost::json::object{
        {"run_id", run.run_id}, {"status", run::name(run.status)}, {"reason", text_json(run.reason)}, {"outcome", outcome}}));
  }
  put_line(run.run_id + "  " + std::string(run::name(run.status)));
  if (was_over) note("run " + run.run_id + " had ended before");
}

aio::Task<int> cancel_one(Process& process, const CancelOptions& options, std::string id) {
  const auto run = co_await resolve_run(process, std::move(id));
  if (!run) co_return complain(run.error());
  const bool was_over = run::is_terminal(run->status);
  const auto now = was_over ? std::optional(*run) : co_await cancel_and_wait(process, *run);
  if (!now) co_return complain(kFailed, "run " + run->run_id + " was removed");
  co_await files_settled(process, *now);
  tell(*now, was_over, options.json);
  if (now->status == run::Status::cancelled) co_return kOk;
  if (run::is_terminal(now->status)) co_return kFailed;
  co_return complain(kStillRunning, "the cancel of " + now->run_id + " is recorded, but its executor has not ended it in " +
                                        std::to_string(kCancelEndMs / 1000) + " s; look again: outlast wait " + now->run_id);
}

aio::Task<int> cancel(Process& process, const CancelOptions& options) {
  int code = kOk;
  for (const auto& id : options.ids) {
    const auto one = co_await cancel_one(process, options, id);
    if (one != kOk && code != kUsage) code = one;
  }
  co_await stop_executing(process);
  co_return code;
}

}  // namespace

int run_cancel(const CancelOptions& options) {
  return with_store([&options](Process& process) { return cancel(process, options); });
}

}  // namespace cli
