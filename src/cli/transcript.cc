#include "cli/transcript.h"

#include <cstdio>

#include "cli/output.h"

namespace cli {

namespace {

constexpr std::size_t kAsideColumns = 100;
constexpr std::size_t kThinkingBytesKept = 4'096;

}  // namespace

struct Transcript::Show {
  Transcript& t;

  void line(const std::string& text) const {
    if (t.options_.asides) t.aside(dim(text));
  }

  void operator()(const run::TextDelta& e) const { t.text(e.text); }
  void operator()(const run::ThinkingDelta& e) const {
    if (t.thinking_.size() < kThinkingBytesKept) t.thinking_ += e.text;
  }
  void operator()(const run::Superseded& e) const {
    // What stands on the screen cannot be taken back, so it is said, asides or not.
    if (t.options_.text_live) t.aside(dim("[cut: " + one_line(e.reason, kAsideColumns) + "; the answer begins again]"));
  }
  void operator()(const run::ToolStarted& e) const { line("· " + e.call.name + " " + one_line(e.call.arguments, kAsideColumns)); }
  void operator()(const run::ToolCompleted& e) const {
    const auto head = std::string(e.is_error ? "✗ " : "✓ ") + e.call.name + " (" + duration(e.duration_ms) + ")";
    line(e.is_error ? head + " " + one_line(e.result, kAsideColumns) : head);
  }
  void operator()(const run::RunPaused& e) const {
    for (const auto& call : e.calls) line("‖ waits for a decision: " + call.name + " " + one_line(call.arguments, kAsideColumns));
  }
  void operator()(const run::RunContinued&) const { line("[decided; it goes on]"); }
  void operator()(const run::Notice& e) const { line("✉ " + one_line(e.text, kAsideColumns)); }
  void operator()(const run::ContextCompacted& e) const { line("✂ " + std::to_string(e.dropped) + " earlier messages left out"); }
  // A flow is shown by its own lines (run/flow_log.h).
  void operator()(const run::FlowPlanned&) const {}
  void operator()(const run::OpStarted&) const {}
  void operator()(const run::OpEnded&) const {}
  void operator()(const run::HarnessStarted& e) const {
    line("▸ " + std::string(e.why.empty() ? (e.resumes ? "resumed" : "started") : "started again: " + e.why));
  }
  void operator()(const run::HarnessSession& e) const { line("▸ session " + e.session_id); }
  void operator()(const run::HarnessHeard&) const {}
  void operator()(const run::HarnessTurn& e) const {
    if (!e.error.empty()) line("✗ " + one_line(e.error, kAsideColumns));
  }
  void operator()(const run::HarnessEnded&) const {}
  void operator()(const run::HarnessWaits& e) const { line("‖ waits: " + one_line(e.why, kAsideColumns)); }
  void operator()(const run::RunStarted&) const {}
  void operator()(const run::ModelStarted&) const {}
  void operator()(const run::ModelCompleted&) const {}
  void operator()(const run::ToolError&) const {}
  void operator()(const run::ContentCompleted&) const {}
  void operator()(const run::RunCompleted&) const {}
  void operator()(const run::RunError&) const {}
  void operator()(const run::RunCancelled&) const {}
};

void Transcript::add(std::uint64_t index, const run::Event& event) {
  if (index < options_.from) return;
  if (!std::holds_alternative<run::ThinkingDelta>(event.payload)) end_thinking();
  std::visit(Show{*this}, event.payload);
}

void Transcript::text(std::string_view delta) {
  if (!options_.text_live || delta.empty()) return;
  put(out_is_terminal() ? harmless(delta) : std::string(delta));
  mid_line_ = !delta.ends_with('\n');
}

void Transcript::end_thinking() {
  if (thinking_.empty()) return;
  if (options_.asides) aside(dim("∴ " + one_line(thinking_, kAsideColumns)));
  thinking_.clear();
}

void Transcript::aside(std::string_view line) {
  if (mid_line_ && out_is_terminal()) {
    put("\n");
    mid_line_ = false;
  }
  // The dimming of our own must stay, so this does not go through note(): what comes from outside was made harmless before.
  const auto text = std::string(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void Transcript::finish(const run::AgentState& state, End end) {
  end_thinking();
  if (options_.text_live) {
    if (mid_line_) put("\n");
    mid_line_ = false;
    return;
  }
  if (state.content.empty() || end == End::left) return;
  const auto content = out_is_terminal() ? harmless(state.content) : state.content;
  put(content.ends_with('\n') ? content : content + "\n");
}

}  // namespace cli
