#include "engine/execution.h"

#include "engine/agent_execution.h"
#include "engine/background_agent.h"
#include "engine/flow_execution.h"
#include "engine/harness_execution.h"

namespace engine {

namespace {

bool is_background(const store::Run& run) {
  const auto spec = run::decode_spec(run.spec);
  return spec && spec->harness && spec->harness->background;
}

}  // namespace

std::shared_ptr<Execution> make_execution(Deps& deps, aio::TaskGroup& tasks, Executor& executor, store::Lease lease) {
  if (lease.run.kind == store::kKindFlow || lease.run.kind == store::kKindFanout)
    return std::make_shared<FlowExecution>(deps, tasks, executor, std::move(lease));
  if (lease.run.kind == store::kKindHarness && is_background(lease.run)) return std::make_shared<BackgroundAgentExecution>(deps, tasks, std::move(lease));
  if (lease.run.kind == store::kKindHarness) return std::make_shared<HarnessExecution>(deps, tasks, executor, std::move(lease));
  return std::make_shared<AgentExecution>(deps, tasks, std::move(lease));
}

}  // namespace engine
