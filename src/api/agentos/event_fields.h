#pragma once
// The fields of each AgentOS event after its base, from the neutral event. Pure; docs/formats/agentos.md has the table.
#include <string>

#include "run/event.h"

namespace api::agentos {

// Appends `,"key":value` pairs (the part before event_index).
void append_fields(std::string& out, const run::Event& event);

// The `tool` object of AgentOS, all keys with nulls kept.
struct ToolView {
  const run::ToolCall& call;
  std::int64_t at_ms = 0;
  const std::string* result = nullptr;
  bool is_error = false, finished = false, needs_confirmation = false;
  std::int64_t started_ms = 0, duration_ms = 0;
};
void append_tool(std::string& out, const ToolView& tool);

void append_metrics(std::string& out, const run::Metrics& metrics, std::string_view model, std::string_view provider);
// Seconds with microseconds, as AgentOS writes floats: 0.042, 1795231286.4365.
void append_seconds(std::string& out, std::int64_t ms);

}  // namespace api::agentos
