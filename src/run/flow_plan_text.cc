// A plan as people read it: the line of flow.log, and what --dry-run prints. Both are frozen to the byte.
#include <algorithm>

#include "base/text.h"
#include "run/flow_plan.h"

namespace run {

namespace {

constexpr std::size_t kInstructionCharsShown = 120;
constexpr std::size_t kGuidanceCharsShown = 80;

// The first characters, in one line: a plan's texts come from models, and neither break lines nor command a terminal.
std::string begin_of(std::string_view text, std::size_t chars) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool begins_a_character = (static_cast<unsigned char>(text[end]) & 0xC0u) != 0x80u;
    if (begins_a_character && chars-- == 0) break;
  }
  auto out = base::utf8_lossy(text.substr(0, end));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

std::string joined(const std::vector<FlowEdge>& edges, std::string_view separator) {
  std::string text;
  for (const auto& edge : edges) text += (text.empty() ? "" : std::string(separator)) + edge.op;
  return text;
}

std::string count_text(const FlowPlan& plan) {
  return std::to_string(plan.agents.size()) + " agents, " + std::to_string(plan.operations.size()) + " ops";
}

}  // namespace

std::string plan_line(const FlowPlan& plan) {
  auto text = count_text(plan);
  std::string_view before = " — ";
  for (const auto& op : plan.operations) {
    text += std::string(before) + op.id + (op.control ? "!" : "") + ":" + op.agent_id;
    if (!op.depends_on.empty()) text += " ← " + joined(op.depends_on, ",");
    before = " | ";
  }
  return text;
}

std::string dry_run_text(const FlowPlan& plan, const std::vector<std::string>& models) {
  auto text = "FlowPlan (" + count_text(plan) + ", synthesis=" + (plan.synthesis ? "True" : "False") + ")\n\nAgents:\n";
  const auto line = [&](std::string_view indented, const std::string& what) { text += std::string(indented) + what + "\n"; };
  for (const auto& agent : plan.agents) {
    line("  ", agent.id + ": " + agent.role);
    if (!agent.model.empty()) line("    model: ", agent.model);
    if (!agent.guidance.empty()) line("    guidance: ", begin_of(agent.guidance, kGuidanceCharsShown) + "...");
  }
  text += "\nOperations:\n";
  for (const auto& op : plan.operations) {
    line("  ", op.id + " → " + op.agent_id + (op.control ? " [CONTROL]" : ""));
    line("    instruction: ", begin_of(op.instruction, kInstructionCharsShown) + "...");
    if (!op.depends_on.empty()) line("  depends_on: ", joined(op.depends_on, ", "));
    if (!op.guidance.empty()) line("    guidance: ", begin_of(op.guidance, kGuidanceCharsShown) + "...");
    text += "\n";
  }
  text += "Model resolution:\n";
  for (std::size_t i = 0; i < std::min(plan.agents.size(), models.size()); ++i) line("  ", plan.agents[i].id + ": " + models[i]);
  return text;
}

}  // namespace run
