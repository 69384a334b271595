#include "cli/agent.h"

#include "cli/agent_request.h"
#include "cli/start.h"
#include "cli/store_command.h"

namespace cli {

namespace {

aio::Task<int> agent(Process& process, const AgentOptions& options) {
  auto request = co_await agent_request(process, options);
  if (!request) co_return complain(request.error());
  StartOptions start;
  start.background = options.background;
  start.json = options.json;
  start.verbose = options.verbose;
  co_return co_await start_run(process, std::move(*request), options.command, std::move(start));
}

}  // namespace

int run_agent(const AgentOptions& options) {
  return with_store([&options](Process& process) { return agent(process, options); });
}

}  // namespace cli
