#pragma once
// The fields of each AgentOS event after its base, from the neutral event. Pure; docs/formats/agentos.md has the table.
#include <string>
#include <string_view>

#include "run/event.h"

namespace api::agentos {

// Appends `,"key":value` pairs (the part before event_index).
void append_fields(std::string& out, const run::Event& event);

// Whether a person must agree to a call, and what was decided.
enum class Confirmation { none, waiting, approved, rejected };

// The `tool` object of AgentOS, all keys with nulls kept.
struct ToolView {
  const run::ToolCall& call;
  std::int64_t at_ms = 0;
  const std::string* result = nullptr;
  bool is_error = false, finished = false;
  Confirmation confirmation = Confirmation::none;
  const std::string* note = nullptr;  // of the decision
  std::int64_t started_ms = 0, duration_ms = 0;
};
void append_tool(std::string& out, const ToolView& tool);
// One entry of `requirements`: a call that a pause at `paused_ms` waits (or waited) for.
void append_requirement(std::string& out, const ToolView& tool, std::int64_t paused_ms);
// The arguments as the JSON object that they are; what is no object is kept as a text, so that nothing is lost.
void append_arguments(std::string& out, const run::ToolCall& call);

// What a paused run says when its model said nothing.
inline constexpr std::string_view kPausedContent = "I have tools to execute, but I need confirmation.";

void append_metrics(std::string& out, const run::Metrics& metrics, std::string_view model, std::string_view provider);
// Seconds as AgentOS writes floats: 0.042, 1795231286.437.
void append_seconds(std::string& out, std::int64_t ms);

}  // namespace api::agentos
