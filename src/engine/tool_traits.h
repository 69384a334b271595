#pragma once
// What the machine must know of tools, from the tools themselves.
#include "run/agent.h"
#include "tool/tool.h"

namespace engine {

class ToolTraits final : public run::ToolTraits {
 public:
  // `tools` outlives it.
  explicit ToolTraits(const tool::Toolbox& tools) : tools_(tools) {}
  run::Recall recall(const run::ToolCall& call) const override;
  std::string granted_name(std::string_view any_name) const override;

 private:
  const tool::Toolbox& tools_;
};

}  // namespace engine
