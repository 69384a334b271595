#include "cli/attach.h"

#include "cli/follow.h"
#include "cli/store_command.h"

namespace cli {

namespace {

aio::Task<int> attach(Process& process, const AttachOptions& options) {
  auto run = co_await resolve_run(process, options.id);
  if (!run) co_return complain(run.error());
  co_return co_await follow_run(process, std::move(*run),
                                {.from = options.from, .verbose = options.verbose, .json = options.json});
}

}  // namespace

int run_attach(const AttachOptions& options) {
  return with_store([&options](Process& process) { return attach(process, options); });
}

}  // namespace cli
