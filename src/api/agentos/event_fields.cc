#include "api/agentos/event_fields.h"

#include <cstdio>

#include "base/clock.h"
#include "base/json.h"
#include "run/question.h"

namespace api::agentos {

using base::append_json_string;

namespace {

void text(std::string& out, std::string_view key, std::string_view value) {
  out += ",\"";
  out += key;
  out += "\":";
  append_json_string(out, value);
}

void number(std::string& out, std::string_view key, std::int64_t value) {
  out += ",\"";
  out += key;
  out += "\":" + std::to_string(value);
}

// "add(a=1, b=2) completed in 0.0016s. "
std::string completion_text(const run::ToolCompleted& e) {
  std::string out = e.call.name + "(";
  const auto value = base::parse_json(e.call.arguments.empty() ? "{}" : e.call.arguments);
  if (const auto* object = value ? value->if_object() : nullptr) {
    bool first = true;
    for (const auto& [key, argument] : *object) {
      if (!std::exchange(first, false)) out += ", ";
      out += std::string(key) + "=" + (argument.is_string() ? std::string(argument.get_string()) : base::to_text(argument));
    }
  }
  char tail[64];
  std::snprintf(tail, sizeof tail, ") completed in %.4fs. ", static_cast<double>(e.duration_ms) / 1000);
  return out + tail;
}

void append_paused(std::string& out, const run::RunPaused& e, std::int64_t at_ms) {
  text(out, "content", e.content.empty() ? kPausedContent : e.content);
  const auto view = [at_ms](const run::ToolCall& call) {
    return ToolView{.call = call, .at_ms = at_ms, .confirmation = Confirmation::waiting};
  };
  out += ",\"tools\":[";
  for (std::size_t i = 0; i < e.calls.size(); ++i) {
    if (i) out += ',';
    append_tool(out, view(e.calls[i]));
  }
  out += "],\"requirements\":[";
  for (std::size_t i = 0; i < e.calls.size(); ++i) {
    if (i) out += ',';
    append_requirement(out, view(e.calls[i]), at_ms);
  }
  out += ']';
}

// A call that was decided asks for nothing any more: AgentOS shows it with requires_confirmation false.
void append_confirmation(std::string& out, const ToolView& tool) {
  switch (tool.confirmation) {
    case Confirmation::none: out += R"(,"requires_confirmation":null,"confirmed":null)"; break;
    case Confirmation::waiting: out += R"(,"requires_confirmation":true,"confirmed":null)"; break;
    case Confirmation::approved: out += R"(,"requires_confirmation":false,"confirmed":true)"; break;
    case Confirmation::rejected: out += R"(,"requires_confirmation":false,"confirmed":false)"; break;
  }
  out += ",\"confirmation_note\":";
  if (tool.note)
    append_json_string(out, *tool.note);
  else
    out += "null";
}

// What AgentOS calls user input: one field, `answer`.
void append_question(std::string& out, const ToolView& tool) {
  const auto question = run::question_of(tool.call);
  const bool waits = tool.confirmation == Confirmation::waiting;
  out += R"(,"requires_confirmation":null,"confirmed":null,"confirmation_note":null,"requires_user_input":)";
  out += waits ? "true" : "false";
  out += R"(,"user_input_schema":[{"name":"answer","field_type":)";
  out += question.is_approval ? R"("bool")" : R"("str")";
  text(out, "description", question.text);
  if (!question.choices.empty())
    out += ",\"options\":" + base::to_text(boost::json::array(question.choices.begin(), question.choices.end()));
  out += ",\"value\":";
  if (tool.note)
    append_json_string(out, *tool.note);
  else
    out += "null";
  out += R"(}],"user_feedback_schema":null,"answered":)";
  out += waits ? "false," : "true,";
}

struct Fields {
  std::string& out;
  std::int64_t at;

  void model(const std::string& name, const std::string& provider) const {
    text(out, "model", name);
    text(out, "model_provider", provider);
  }
  void operator()(const run::RunStarted& e) const { model(e.model, e.provider); }
  void operator()(const run::ModelStarted& e) const { model(e.model, e.provider); }
  void operator()(const run::TextDelta& e) const {
    text(out, "content", e.text);
    out += R"(,"workflow_agent":false,"content_type":"str","reasoning_content":"")";
  }
  void operator()(const run::ThinkingDelta& e) const { text(out, "reasoning_content", e.text); }
  void operator()(const run::Superseded& e) const {
    number(out, "from_index", static_cast<std::int64_t>(e.from));
    number(out, "to_index", static_cast<std::int64_t>(e.to));
    text(out, "reason", e.reason);
  }
  void operator()(const run::ModelCompleted& e) const {
    model(e.model, e.provider);
    number(out, "input_tokens", e.usage.input_tokens);
    number(out, "output_tokens", e.usage.output_tokens);
    number(out, "total_tokens", e.usage.total());
    if (e.first_token_ms) {
      out += ",\"time_to_first_token\":";
      append_seconds(out, *e.first_token_ms);
    }
    number(out, "reasoning_tokens", e.usage.reasoning_tokens);
    number(out, "cache_read_tokens", e.usage.cache_read_tokens);
    number(out, "cache_write_tokens", e.usage.cache_write_tokens);
  }
  void operator()(const run::ToolStarted& e) const {
    out += ",\"tool\":";
    append_tool(out, {.call = e.call, .at_ms = at});
  }
  void operator()(const run::ToolCompleted& e) const {
    text(out, "content", completion_text(e));
    out += ",\"tool\":";
    append_tool(out, {.call = e.call,
                      .at_ms = at,
                      .result = &e.result,
                      .is_error = e.is_error,
                      .finished = true,
                      .started_ms = e.started_ms,
                      .duration_ms = e.duration_ms});
  }
  void operator()(const run::ToolError& e) const {
    text(out, "error", e.error);
    out += ",\"tool\":";
    append_tool(out, {.call = e.call,
                      .at_ms = at,
                      .result = &e.error,
                      .is_error = true,
                      .finished = true,
                      .started_ms = e.started_ms,
                      .duration_ms = e.duration_ms});
  }
  void operator()(const run::ContentCompleted&) const {}
  void operator()(const run::RunCompleted& e) const {
    text(out, "content", e.content);
    out += R"(,"content_type":"str","session_state":{},"metrics":)";
    append_metrics(out, e.metrics, e.model, e.provider);
  }
  void operator()(const run::RunError& e) const {
    text(out, "content", e.message);
    text(out, "error_type", run::name(e.cause));
  }
  void operator()(const run::RunCancelled& e) const {
    text(out, "content", e.content);
    text(out, "reason", e.reason);
  }
  void operator()(const run::RunPaused& e) const { append_paused(out, e, at); }
  void operator()(const run::RunContinued&) const {}
  void operator()(const run::Notice& e) const {
    text(out, "name", "notice");
    text(out, "task_id", e.task_id);
    text(out, "content", e.text);
  }
  void operator()(const run::ContextCompacted& e) const {
    text(out, "name", "context_compacted");
    number(out, "kept", e.kept);
    number(out, "dropped", e.dropped);
  }
  // Of flows and of coding-agent programs, which AgentOS does not know: whole, as custom events.
  void named(std::string_view name, const boost::json::object& fields) const {
    text(out, "name", name);
    // The run of an operation is another one than the event's own.
    for (const auto& [key, value] : fields) out += ",\"" + std::string(key == "run_id" ? "op_run_id" : key) + "\":" + base::to_text(value);
  }
  void operator()(const run::FlowPlanned& e) const { named("flow_planned", fields_of(e)); }
  void operator()(const run::OpStarted& e) const { named("op_started", fields_of(e)); }
  void operator()(const run::OpEnded& e) const { named("op_ended", fields_of(e)); }
  void operator()(const run::HarnessStarted& e) const { named("harness_started", fields_of(e)); }
  void operator()(const run::HarnessSession& e) const { named("harness_session", fields_of(e)); }
  void operator()(const run::HarnessHeard& e) const { named("harness_heard", fields_of(e)); }
  void operator()(const run::HarnessTurn& e) const { named("harness_turn", fields_of(e)); }
  void operator()(const run::HarnessEnded& e) const { named("harness_ended", fields_of(e)); }
  void operator()(const run::HarnessWaits& e) const { named("harness_waits", fields_of(e)); }
};

}  // namespace

void append_fields(std::string& out, const run::Event& event) { std::visit(Fields{out, event.at_ms}, event.payload); }

void append_seconds(std::string& out, std::int64_t ms) {
  char text_of[48];
  std::snprintf(text_of, sizeof text_of, "%lld.%03d", static_cast<long long>(ms / 1000), static_cast<int>(ms % 1000));
  out += text_of;
}

void append_arguments(std::string& out, const run::ToolCall& call) {
  const auto value = base::parse_json(call.arguments.empty() ? "{}" : call.arguments);
  if (value && value->is_object())
    out += base::to_text(*value);
  else
    append_json_string(out, call.arguments);
}

void append_requirement(std::string& out, const ToolView& tool, std::int64_t paused_ms) {
  out += "{\"id\":";
  append_json_string(out, tool.call.id);
  out += ",\"created_at\":\"" + base::iso_utc(paused_ms).substr(0, 19) + "+00:00\",\"tool_execution\":";
  append_tool(out, tool);
  out += '}';
}

void append_tool(std::string& out, const ToolView& tool) {
  out += "{\"tool_call_id\":";
  append_json_string(out, tool.call.id);
  out += ",\"tool_name\":";
  append_json_string(out, tool.call.name);
  out += ",\"tool_args\":";
  append_arguments(out, tool.call);
  out += ",\"tool_call_error\":";
  out += tool.finished ? (tool.is_error ? "true" : "false") : "null";
  out += ",\"result\":";
  if (tool.result)
    append_json_string(out, *tool.result);
  else
    out += "null";
  out += ",\"metrics\":";
  if (tool.finished && tool.started_ms) {
    out += "{\"start_time\":";
    append_seconds(out, tool.started_ms);
    out += ",\"end_time\":";
    append_seconds(out, tool.started_ms + tool.duration_ms);
    out += ",\"duration\":";
    append_seconds(out, tool.duration_ms);
    out += '}';
  } else {
    out += "null";
  }
  out += R"(,"child_run_id":null,"stop_after_tool_call":false,"created_at":)" + std::to_string(tool.at_ms / 1000);
  if (run::asks_a_person(tool.call.name)) {
    append_question(out, tool);
  } else {
    append_confirmation(out, tool);
    out += R"(,"requires_user_input":null,"user_input_schema":null,"user_feedback_schema":null,"answered":null,)";
  }
  out += R"("external_execution_required":null,"external_execution_silent":null,"approval_type":null,"approval_id":null})";
}

void append_metrics(std::string& out, const run::Metrics& metrics, std::string_view model, std::string_view provider) {
  const auto tokens = [&out, &metrics] {
    out += "\"input_tokens\":" + std::to_string(metrics.usage.input_tokens) +
           ",\"output_tokens\":" + std::to_string(metrics.usage.output_tokens) +
           ",\"total_tokens\":" + std::to_string(metrics.usage.total());
  };
  out += '{';
  tokens();
  if (metrics.first_token_ms) {
    out += ",\"time_to_first_token\":";
    append_seconds(out, *metrics.first_token_ms);
  }
  out += ",\"duration\":";
  append_seconds(out, metrics.duration_ms);
  out += ",\"details\":{\"model\":[{";
  tokens();
  out += ",\"id\":";
  append_json_string(out, model);
  out += ",\"provider\":";
  append_json_string(out, provider);
  out += "}]}}";
}

}  // namespace api::agentos
