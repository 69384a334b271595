#pragma once
// A flow's plan as a picture: Graphviz and Mermaid text. Pure. Everything that a plan says is quoted: its words come from models.
#include <map>
#include <string>
#include <string_view>

#include "run/flow_plan.h"

namespace run {

enum class OpState { waiting, running, done, failed, skipped };
std::string_view name(OpState state);

// What is known of an operation beside the plan.
struct OpView {
  OpState state = OpState::waiting;
  std::int64_t duration_ms = 0;  // of what has ended
};

// Operations that are not in `views` wait.
std::string dot_text(const FlowPlan& plan, const std::map<std::string, OpView>& views = {});
std::string mermaid_text(const FlowPlan& plan, const std::map<std::string, OpView>& views = {});

}  // namespace run
