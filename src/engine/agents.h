#pragma once
// Agents that agents give work to: child runs, launched once per call, waited for and ended like every run.
#include "engine/deps.h"
#include "engine/executor.h"
#include "tool/agents.h"

namespace engine {

class Agents final : public tool::Agents {
 public:
  // What it needs is there when it is first used: tools are made before what executes their calls.
  void use(Deps& deps, Executor& executor) { deps_ = &deps, executor_ = &executor; }

  aio::Task<base::Result<tool::AgentView>> launch(const tool::Context& caller, std::string specialist, std::string prompt) override;
  aio::Task<tool::AgentView> wait(std::string run_id) override;
  aio::Task<> end_children(std::string run_id) override;

 private:
  Deps* deps_ = nullptr;
  Executor* executor_ = nullptr;
};

}  // namespace engine
