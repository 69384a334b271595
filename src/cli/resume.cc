#include "cli/resume.h"

#include <algorithm>

#include "base/json.h"
#include "cli/launcher.h"
#include "cli/store_command.h"

namespace cli {

namespace {

constexpr std::size_t kExecutorsMax = 64;  // started by one command; the rest is said

void tell(const store::Run& run, bool json) {
  put_line(json ? base::to_text(boost::json::object{{"run_id", run.run_id}, {"resumed", true}}) : "resumed " + run.run_id);
}

aio::Task<int> resume_run(Process& process, store::Run run, bool json) {
  if (run.origin != "command") {
    // Its app file, and maybe its key, are the server's.
    note("run " + run.run_id + " belongs to a server; start it again: outlast serve");
    co_return kStillRunning;
  }
  const auto revived = co_await revive(process, run);
  if (!revived) co_return complain(revived.error().code, "run " + run.run_id + ": " + revived.error().message);
  tell(run, json);
  co_return kOk;
}

aio::Task<int> resume_all(Process& process, bool json) {
  const auto orphans = co_await process.store->orphans(10'000);
  int code = kOk;
  std::size_t started = 0;
  for (const auto& orphan : orphans) {
    if (started >= kExecutorsMax) {
      note(std::to_string(orphans.size() - started) + " more wait; run `outlast resume --all` again when these have ended");
      break;
    }
    const auto one = co_await resume_run(process, orphan, json);
    if (one == kOk)
      ++started;
    else
      code = one;
  }
  if (orphans.empty()) note("nothing to resume: every live run has an executor");
  co_return code;
}

aio::Task<int> resume_named(Process& process, std::vector<std::string> ids, bool json) {
  int code = kOk;
  for (auto& id : ids) {
    const auto run = co_await resolve_run(process, std::move(id));
    if (!run) {
      code = complain(run.error());
    } else if (co_await is_orphan(process, run->number)) {
      const auto one = co_await resume_run(process, *run, json);
      if (one != kOk) code = one;
    } else {
      const bool over = run::is_terminal(run->status);
      note("run " + run->run_id + " is " + std::string(run::name(run->status)) +
           (over ? "; continue its branch: outlast agent -r " + run->session_id + " \"...\"" : "; it needs no other executor"));
      if (over) code = kFailed;
    }
  }
  co_return code;
}

}  // namespace

int run_resume(const ResumeOptions& options) {
  if (options.all == !options.ids.empty())
    return complain(kUsage, "name the runs to resume, or write --all: outlast resume --all");
  return with_store([&options](Process& process) {
    return options.all ? resume_all(process, options.json) : resume_named(process, options.ids, options.json);
  });
}

}  // namespace cli
