#pragma once
// A recorded AgentOS event as the neutral event that Outlast would have logged, and the comparison of the two encodings.
#include <cmath>

#include "api/agentos/recording_fixture.h"
#include "base/json.h"
#include "run/event.h"
#include "store/types.h"

namespace api::agentos {

namespace json = boost::json;

// The run whose identity a recorded event carries.
inline store::Run run_of(const json::object& event) {
  store::Run run;
  run.run_id = base::text_or_empty(event, "run_id");
  run.component_id = base::text_or_empty(event, "agent_id");
  run.component_name = base::text_or_empty(event, "agent_name");
  run.session_id = base::text_or_empty(event, "session_id");
  return run;
}

inline std::int64_t ms_of(const json::object& o, const char* key) {
  return static_cast<std::int64_t>(std::llround(base::number_field(o, key).value_or(0) * 1000));
}

inline run::Usage usage_of(const json::object& o) {
  return {.input_tokens = base::int_or_zero(o, "input_tokens"),
          .output_tokens = base::int_or_zero(o, "output_tokens"),
          .reasoning_tokens = base::int_or_zero(o, "reasoning_tokens"),
          .cache_read_tokens = base::int_or_zero(o, "cache_read_tokens"),
          .cache_write_tokens = base::int_or_zero(o, "cache_write_tokens")};
}

inline std::optional<std::int64_t> first_token_of(const json::object& o) {
  if (!o.contains("time_to_first_token")) return std::nullopt;
  return ms_of(o, "time_to_first_token");
}

inline run::ToolCall call_of(const json::object& tool) {
  return {base::text_or_empty(tool, "tool_call_id"), base::text_or_empty(tool, "tool_name"), base::to_text(tool.at("tool_args"))};
}

inline run::ToolCompleted completed_of(const json::object& event) {
  const auto& tool = event.at("tool").as_object();
  run::ToolCompleted completed{
      .call = call_of(tool), .result = base::text_or_empty(tool, "result"), .is_error = tool.at("tool_call_error") == true};
  if (const auto* metrics = base::object_field(tool, "metrics")) {
    completed.started_ms = ms_of(*metrics, "start_time");
    completed.duration_ms = ms_of(*metrics, "duration");
  }
  return completed;
}

inline run::RunCompleted run_completed_of(const json::object& event) {
  const auto& metrics = event.at("metrics").as_object();
  run::RunCompleted done{.content = base::text_or_empty(event, "content"), .model = "mock-1", .provider = "MockAI"};
  done.metrics = {
      .usage = usage_of(metrics), .duration_ms = ms_of(metrics, "duration"), .first_token_ms = first_token_of(metrics)};
  return done;
}

inline run::RunPaused paused_of(const json::object& event) {
  run::RunPaused paused;
  for (const auto& tool : event.at("tools").as_array()) paused.calls.push_back(call_of(tool.as_object()));
  return paused;
}

inline run::Payload payload_of(const json::object& event) {
  const auto name = base::text_or_empty(event, "event");
  const auto text = [&event](const char* key) { return base::text_or_empty(event, key); };
  if (name == "RunStarted") return run::RunStarted{text("model"), text("model_provider")};
  if (name == "ModelRequestStarted") return run::ModelStarted{text("model"), text("model_provider")};
  if (name == "RunContent") return run::TextDelta{text("content")};
  if (name == "ModelRequestCompleted") {
    run::ModelCompleted done{.model = text("model"), .provider = text("model_provider")};
    done.usage = usage_of(event);
    done.first_token_ms = first_token_of(event);
    return done;
  }
  if (name == "ToolCallStarted") return run::ToolStarted{call_of(event.at("tool").as_object())};
  if (name == "ToolCallCompleted") return completed_of(event);
  if (name == "ToolCallError") {
    const auto completed = completed_of(event);
    return run::ToolError{completed.call, text("error"), completed.started_ms, completed.duration_ms};
  }
  if (name == "RunContentCompleted") return run::ContentCompleted{};
  if (name == "RunCompleted") return run_completed_of(event);
  if (name == "RunCancelled") return run::RunCancelled{text("content"), text("reason")};
  if (name == "RunError") return run::RunError{run::Cause::internal, text("content")};
  if (name == "RunPaused") return paused_of(event);
  EXPECT_EQ(name, "RunContinued");
  return run::RunContinued{};
}

}  // namespace api::agentos
