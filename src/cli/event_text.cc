#include "cli/event_text.h"

#include "cli/output.h"

namespace cli {

namespace {

constexpr std::size_t kColumns = 120;
constexpr std::size_t kTypeColumns = 18;

std::string call_text(const run::ToolCall& call) { return call.name + " " + one_line(call.arguments, kColumns); }

std::string usage_text(const run::Usage& usage) {
  return std::to_string(usage.input_tokens) + " tokens in, " + std::to_string(usage.output_tokens) + " out";
}

// Text deltas keep their spaces and show their line ends, so that what is joined can be seen.
std::string delta_text(const std::string& text) {
  std::string out;
  for (const char c : harmless(text)) out += c == '\n' ? std::string("\\n") : c == '\t' ? std::string("\\t") : std::string(1, c);
  return out;
}

struct Words {
  static std::string model(const std::string& provider, const std::string& name) { return name.empty() ? provider : provider + "/" + name; }
  std::string operator()(const run::RunStarted& e) const { return model(e.provider, e.model); }
  std::string operator()(const run::ModelStarted& e) const { return model(e.provider, e.model); }
  std::string operator()(const run::TextDelta& e) const { return delta_text(e.text); }
  std::string operator()(const run::ThinkingDelta& e) const { return delta_text(e.text); }
  std::string operator()(const run::Superseded& e) const {
    return "events " + std::to_string(e.from) + " to " + std::to_string(e.to) + " do not count: " + one_line(e.reason, kColumns);
  }
  std::string operator()(const run::ModelCompleted& e) const {
    auto text = usage_text(e.usage);
    for (const auto& call : e.tool_calls) text += "; calls " + call.name;
    return text;
  }
  std::string operator()(const run::ToolStarted& e) const { return call_text(e.call); }
  std::string operator()(const run::ToolCompleted& e) const {
    return e.call.name + (e.is_error ? " failed (" : " done (") + duration(e.duration_ms) + ") " + one_line(e.result, kColumns);
  }
  std::string operator()(const run::ToolError& e) const { return e.call.name + " " + one_line(e.error, kColumns); }
  std::string operator()(const run::ContentCompleted&) const { return {}; }
  std::string operator()(const run::RunCompleted& e) const {
    return usage_text(e.metrics.usage) + ", " + duration(e.metrics.duration_ms) + "; " + one_line(e.content, kColumns);
  }
  std::string operator()(const run::RunError& e) const {
    return std::string(run::name(e.cause)) + ": " + one_line(e.message, kColumns);
  }
  std::string operator()(const run::RunCancelled& e) const { return one_line(e.reason, kColumns); }
  std::string operator()(const run::RunPaused& e) const {
    std::string text = "waits for a decision:";
    for (const auto& call : e.calls) text += " " + call_text(call);
    return text;
  }
  std::string operator()(const run::RunContinued& e) const {
    std::string text;
    for (const auto& d : e.decisions) text += (text.empty() ? "" : ", ") + d.call_id + (d.approved ? " approved" : " rejected");
    return text;
  }
  std::string operator()(const run::Notice& e) const { return one_line(e.text, kColumns); }
  std::string operator()(const run::ContextCompacted& e) const {
    return std::to_string(e.dropped) + " messages left out, " + std::to_string(e.kept) + " kept";
  }
  std::string operator()(const run::FlowPlanned& e) const { return one_line(plan_line(e.plan), kColumns); }
  std::string operator()(const run::OpStarted& e) const { return e.op + " in run " + e.run_id + attempt(e.attempt); }
  std::string operator()(const run::OpEnded& e) const {
    return e.op + " " + std::string(name(e.outcome)) + attempt(e.attempt) + (e.error.empty() ? "" : ": " + one_line(e.error, kColumns));
  }
  std::string operator()(const run::HarnessStarted& e) const {
    return "process " + std::to_string(e.process) + (e.resumes ? " resumes " : " begins ") + e.session_id + (e.why.empty() ? "" : " (" + e.why + ")");
  }
  std::string operator()(const run::HarnessSession& e) const { return e.session_id + " " + e.model; }
  std::string operator()(const run::HarnessHeard& e) const { return e.message_id; }
  std::string operator()(const run::HarnessTurn& e) const {
    return std::string(name(e.outcome)) + " " + one_line(e.error.empty() ? e.text : e.error, kColumns);
  }
  std::string operator()(const run::HarnessEnded& e) const {
    const auto used = e.used.total() > 0 ? " (used about " + std::to_string(e.used.total()) + " tokens)" : "";
    return "process " + std::to_string(e.process) + " " + e.why + (e.exit_code ? " " + std::to_string(*e.exit_code) : "") + used;
  }
  std::string operator()(const run::HarnessWaits& e) const { return one_line(e.why, kColumns); }
  static std::string attempt(std::int64_t number) { return number > 1 ? " (attempt " + std::to_string(number) + ")" : ""; }
};

}  // namespace

std::string event_text(const run::Event& event) {
  auto line = padded(run::type_name(event.payload), kTypeColumns) + std::visit(Words{}, event.payload);
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace cli
