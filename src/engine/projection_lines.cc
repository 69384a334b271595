#include "engine/projection_lines.h"

#include <charconv>

#include "base/json.h"

namespace engine {

namespace json = boost::json;

namespace {

constexpr std::string_view kHead = R"({"event_index":)";
constexpr std::string_view kRunId = R"(,"run_id":")";

json::object usage_of(const run::Usage& usage) {
  json::object o{{"input_tokens", usage.input_tokens},
                 {"output_tokens", usage.output_tokens},
                 {"reasoning_tokens", usage.reasoning_tokens},
                 {"cache_read_tokens", usage.cache_read_tokens},
                 {"cache_write_tokens", usage.cache_write_tokens}};
  if (usage.cost_micros) o["cost_usd"] = static_cast<double>(usage.cost_micros) / 1e6;
  return o;
}

// Arguments are an object where the model wrote one, else its text.
json::value input_of(const std::string& arguments) {
  auto parsed = base::parse_json(arguments);
  if (!parsed) return json::value(arguments);
  return std::move(*parsed);
}

// Fills the fields of one line, beside its index, run and time.
struct Fill {
  json::object& line;
  const StreamOf& of;
  run::Status status;

  void kind(std::string_view type, std::string_view content) const {
    line["type"] = type;
    line["content"] = content;
  }
  void system(std::string_view what, json::object metadata) const {
    kind("system", what);
    metadata["session_id"] = of.session_id;
    line["metadata"] = std::move(metadata);
  }
  void tool(std::string_view type, const run::ToolCall& call) const {
    line["type"] = type;
    line["tool_name"] = call.name;
    line["tool_id"] = call.id;
  }

  void operator()(const run::RunStarted& e) const { system("run_started", {{"model", e.model}, {"provider", e.provider}}); }
  void operator()(const run::ModelStarted& e) const { system("model_started", {{"model", e.model}, {"provider", e.provider}}); }
  void operator()(const run::TextDelta& e) const {
    kind("text", e.text);
    line["is_delta"] = true;
  }
  void operator()(const run::ThinkingDelta& e) const {
    kind("thinking", e.text);
    line["is_delta"] = true;
  }
  void operator()(const run::Superseded& e) const {
    system("superseded", {{"from", e.from}, {"to", e.to}, {"reason", e.reason}});
  }
  void operator()(const run::ModelCompleted& e) const {
    system("model_completed", {{"model", e.model}, {"provider", e.provider}, {"usage", usage_of(e.usage)}});
  }
  void operator()(const run::ToolStarted& e) const {
    tool("tool_use", e.call);
    line["tool_input"] = input_of(e.call.arguments);
  }
  void operator()(const run::ToolCompleted& e) const {
    tool("tool_result", e.call);
    line["tool_output"] = e.result;
    line["is_error"] = e.is_error;
    line["metadata"] = json::object{{"duration_ms", e.duration_ms}};
  }
  void operator()(const run::ToolError& e) const {
    tool("error", e.call);
    line["content"] = e.error;
    line["is_error"] = true;
  }
  void operator()(const run::ContentCompleted&) const { system("content_completed", {}); }
  void operator()(const run::RunCompleted& e) const {
    kind("result", e.content);
    line["is_error"] = false;
    line["metadata"] =
        json::object{{"status", run::name(status)}, {"usage", usage_of(e.metrics.usage)}, {"duration_ms", e.metrics.duration_ms}};
  }
  void operator()(const run::RunError& e) const {
    kind("error", e.message);
    line["is_error"] = true;
    line["metadata"] = json::object{{"code", run::name(e.cause)}};
  }
  void operator()(const run::RunCancelled& e) const { system("run_cancelled", {{"reason", e.reason}}); }
  void operator()(const run::RunPaused& e) const {
    json::array calls;
    for (const auto& call : e.calls) calls.push_back({{"tool_name", call.name}, {"tool_id", call.id}});
    system("run_paused", {{"calls", std::move(calls)}});
  }
  void operator()(const run::RunContinued& e) const {
    json::array decisions;
    for (const auto& d : e.decisions) decisions.push_back({{"tool_id", d.call_id}, {"approved", d.approved}, {"note", d.note}});
    system("run_continued", {{"decisions", std::move(decisions)}});
  }
  void operator()(const run::Notice& e) const { system("notice", {{"task_id", e.task_id}, {"text", e.text}}); }
  void operator()(const run::ContextCompacted& e) const {
    system("context_compacted", {{"kept", e.kept}, {"dropped", e.dropped}});
  }
  void operator()(const run::FlowPlanned& e) const { system("flow_planned", fields_of(e)); }
  void operator()(const run::OpStarted& e) const { system("op_started", fields_of(e)); }
  void operator()(const run::OpEnded& e) const { system("op_ended", fields_of(e)); }
  void operator()(const run::HarnessStarted& e) const { system("harness_started", fields_of(e)); }
  void operator()(const run::HarnessSession& e) const { system("harness_session", fields_of(e)); }
  void operator()(const run::HarnessHeard& e) const { system("harness_heard", fields_of(e)); }
  void operator()(const run::HarnessTurn& e) const { system("harness_turn", fields_of(e)); }
  void operator()(const run::HarnessEnded& e) const { system("harness_ended", fields_of(e)); }
  void operator()(const run::HarnessWaits& e) const { system("harness_waits", fields_of(e)); }
};

}  // namespace

std::string stream_line(const StreamOf& of, std::uint64_t index, const run::Event& event, run::Status status) {
  json::object rest;
  std::visit(Fill{rest, of, status}, event.payload);
  rest["at"] = event.at_ms;
  // The head is written by hand: repair reads it without parsing the line.
  auto line = std::string(kHead) + std::to_string(index) + std::string(kRunId) + of.run_id + "\",";
  line += base::to_text(rest).substr(1);
  return line;
}

bool is_stream_line(std::string_view line) { return line.starts_with(kHead) && line.ends_with('}'); }

std::optional<std::uint64_t> stream_index(std::string_view line, std::string_view run_id) {
  if (!is_stream_line(line)) return std::nullopt;
  line.remove_prefix(kHead.size());
  std::uint64_t index = 0;
  const auto [end, ec] = std::from_chars(line.data(), line.data() + line.size(), index);
  if (ec != std::errc{}) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (!line.starts_with(kRunId)) return std::nullopt;
  line.remove_prefix(kRunId.size());
  if (!line.starts_with(run_id) || !line.substr(run_id.size()).starts_with('"')) return std::nullopt;
  return index;
}

}  // namespace engine
