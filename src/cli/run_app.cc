#include "cli/run_app.h"

#include "cli/agent_request.h"
#include "cli/request_parts.h"
#include "cli/start.h"
#include "cli/store_command.h"

namespace cli {

namespace {

aio::Task<int> run_app(Process& process, const RunAppOptions& options) {
  const auto app = load_runnable(options.app.file, process.settings);
  if (!app) co_return complain(app.error());
  auto session = co_await session_of_app(process, options.app);
  if (!session) co_return complain(session.error());
  if (session->live) co_return complain(live_leg(*session->live));
  std::string message;
  if (options.message) {
    auto read = read_prompt(*options.message);
    if (!read) co_return complain(read.error());
    message = std::move(*read);
  }
  auto request = app_request(process, *app, options.app, std::move(message), *session);
  if (!request) co_return complain(request.error());
  StartOptions start;
  start.background = options.background;
  start.json = options.json;
  start.verbose = options.verbose;
  start.resume_with = "outlast run " + one_line(options.app.file, 200);
  co_return co_await start_run(process, std::move(*request), options.command, std::move(start));
}

}  // namespace

int run_run_app(const RunAppOptions& options) {
  return with_store([&options](Process& process) { return run_app(process, options); });
}

}  // namespace cli
